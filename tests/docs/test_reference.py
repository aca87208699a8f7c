"""Claims about docs/reference: the pages are those that the code makes, and leave nothing out."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

import generate_reference
from dockyard.adapters.config_file import Surroundings, load_settings
from dockyard.adapters.config_yaml import read_document
from dockyard.cli.app import app
from dockyard.domain import errors as domain_errors
from dockyard.domain.errors import CATALOGUE, DockyardError
from dockyard.domain.settings import SecretRef, Source
from reference_pages import configuration, environment, errors, json_output, records

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
EXAMPLE = REFERENCE / generate_reference.EXAMPLE
K8S_MAPPINGS = (
    "affinity",
    "annotations",
    "ingress.annotations",
    "labels",
    "monitoring.dashboard_labels",
    "monitoring.labels",
    "node_selector",
)
"""Keys of Kubernetes whose values are told one by one."""
PAGES = sorted(REFERENCE.glob("*.md"))


def test_every_page_is_the_one_that_the_code_makes(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate_reference.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_check_names_the_pages_that_differ_and_writing_mends_them(tmp_path: Path) -> None:
    (tmp_path / EXAMPLE.name).write_bytes(EXAMPLE.read_bytes())
    assert "cli.md" in generate_reference.find_stale(tmp_path)
    generate_reference.write_pages(tmp_path)
    assert generate_reference.find_stale(tmp_path) == []
    (tmp_path / "errors.md").write_text("changed")
    assert generate_reference.find_stale(tmp_path) == ["errors.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_plain_and_their_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "\x1b" not in text
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    anchors = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}
    for anchor in re.findall(r"\]\(#([^)]*)\)", text):
        assert anchor in anchors


def test_every_page_is_listed() -> None:
    listed = (REFERENCE / "README.md").read_text("utf-8")
    assert all(f"({page.name})" in listed for page in PAGES if page.name != "README.md")


class TestExample:
    """The commented example: an example, a page and a test at once."""

    def test_it_is_valid_and_every_value_reaches_the_settings(self, tmp_path: Path) -> None:
        (tmp_path / "dockyard.yaml").write_bytes(EXAMPLE.read_bytes())
        settings = load_settings(Surroundings(folder=tmp_path, environ={"HOME": "/h"}))
        from_file = {one.path for one in settings.provenance if one.source is Source.FILE}
        anonymous = {re.sub(r"^environments\.[^.]+", "environments.<name>", path) for path in from_file}
        assert {".".join(key.path) for key in configuration.list_keys()} - anonymous == {
            "image.mirrors",
            "environments.<name>.env",
            "environments.<name>.sagemaker.tags",
            *(f"environments.<name>.k8s.{key}" for key in K8S_MAPPINGS),
        }
        assert {"image.mirrors.docker.io", "environments.local.env.OMP_NUM_THREADS"} <= from_file
        assert settings.find_environment("local").env[0][1] == SecretRef(file=str(tmp_path / "secrets/feature-store-token"))

    def test_it_shows_the_defaults_where_there_is_one(self) -> None:
        values = read_document(EXAMPLE.read_bytes()).values
        for key in configuration.list_keys():
            default = key.field.get_default(call_default_factory=True)
            if key.path[0] == "environments" and not key.field.is_required() and default not in (None, {}, []):
                assert _find_shown(values["environments"], key.path[2:]) == getattr(default, "value", default)

    def test_every_key_has_a_comment_above_it(self) -> None:
        lines = EXAMPLE.read_text("utf-8").splitlines()
        first = lines[: lines.index("  staging:")]
        bare = [
            line.strip()
            for before, line in itertools.pairwise(first)
            if re.fullmatch(r" {0,4}[a-z_]+:.*", line) and not before.lstrip().startswith("#")
        ]
        assert [one.partition(":")[0] for one in bare] == ["local"]


def _find_shown(environments: object, path: tuple[str, ...]) -> object:
    """The value of a key in the first environment that has it."""
    assert isinstance(environments, dict)
    for place in environments.values():
        value: object = place
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _list_commands(command: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _list_commands(inner, (*path, name))
    else:
        yield " ".join(path)


def test_every_command_is_on_the_pages_of_commands_and_of_json() -> None:
    commands = set(_list_commands(get_command(app)))
    text = (REFERENCE / "cli.md").read_text("utf-8")
    assert all(f"## dockyard {command}\n" in text for command in commands)
    assert set(json_output.COMMANDS) == commands


def test_every_error_code_has_an_anchor() -> None:
    text = (REFERENCE / "errors.md").read_text("utf-8")
    assert all(f'<a id="{code}"></a>' in text for code in CATALOGUE)


def test_every_exit_code_of_an_error_is_explained() -> None:
    families = [one for one in vars(domain_errors).values() if isinstance(one, type) and issubclass(one, DockyardError)]
    assert {one.exit_code for one in families} <= {number for number, _ in errors.EXIT_CODES}


def _read_variables(file: Path) -> set[str]:
    """The variables that a module of the scorer reads: texts that look like one."""
    texts = (node.value for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Constant))
    return {
        text for text in texts if isinstance(text, str) and re.fullmatch(r"(DOCKYARD_[A-Z_]+|PORT|SAGEMAKER_[A-Z_]+)", text)
    }


def test_every_variable_of_the_scorer_is_explained() -> None:
    read = _read_variables(ROOT / "src" / "dockyard_scorer" / "settings.py")
    assert read - {"SAGEMAKER_BIND_TO_PORT"} == set(environment.SCORER)


def test_a_tag_without_a_meaning_stops_the_page() -> None:
    with pytest.raises(ValueError, match="meanings and code differ"):
        records.explain({"dockyard.new"}, records.TAGS)
