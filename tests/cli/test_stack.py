"""`dockyard stack` finds the stacks of this home, says what is missing before it contacts anything, and speaks for shells."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.adapters.stack.book import FolderBook
from dockyard.cli.stack_choices import StackChoice, make_wish
from dockyard.cli.views.stack import view_stack
from dockyard.domain.deployment import Runtime
from dockyard.domain.result import ResultStatus, StackResult
from dockyard.domain.stack import StackKind, StackWish
from support.fake_kit import CommandLine

CHOICE = StackChoice(
    local=False,
    k8s=True,
    external=None,
    name="team",
    port=None,
    runtime=None,
    chart="c",
    image=None,
    values=(),
    context=None,
    namespace="ml",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state/dockyard/stacks"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("up",), "usage"),
        (("up", "--local", "--k8s"), "usage"),
        (("up", "--local", "--values", "v.yaml"), "usage"),
        (("up", "--k8s", "--values", "away.yaml"), "usage"),
        (("up", "--k8s", "--runtime", "docker"), "usage"),
        (("up", "--local", "--runtime", "process", "--image", "tracking:1"), "usage"),
        (("up", "--local", "--runtime", "docker"), "usage"),
        (("upgrade", "--values", "away.yaml"), "usage"),
        (("up", "--external", "away.json"), "usage"),
        (("up", "--local", "--name", "Team_1"), "name-invalid"),
        (("status",), "stack-unknown"),
        (("down", "--delete-data"), "consent-needed"),
    ],
)
def test_what_cannot_be_is_refused_with_nothing_made(
    dockyard: CommandLine, home: Path, arguments: tuple[str, ...], code: str
) -> None:
    ended = dockyard("stack", *arguments)
    assert (ended.code, f"error[{code}]" in ended.err) == (2, True)
    assert not home.exists()


def test_runtime_and_image_are_kept_with_the_wish(home: Path) -> None:
    choice = replace(CHOICE, local=True, k8s=False, namespace=None, image="tracking:1", runtime=Runtime.DOCKER)
    wish = make_wish(choice, home)
    FolderBook(home).write(wish)
    assert (
        FolderBook(home).find("team")
        == wish
        == StackWish(name="team", kind=StackKind.LOCAL, runtime=Runtime.DOCKER, image="tracking:1")
    )


def test_stack_that_is_down_is_found_by_its_wish(dockyard: CommandLine, home: Path) -> None:
    FolderBook(home).write(StackWish(name="tracking", kind=StackKind.LOCAL, port=5050))
    result = dockyard("stack", "status", "--json").envelope["result"]
    assert isinstance(result, dict)
    assert (result["is_up"], result["kind"], result["environment"]) == (False, "local", {})
    assert dockyard("stack", "logs", "--json").envelope["result"] == {"name": "tracking", "lines": []}
    assert dockyard("stack", "logs").out == ""


def test_outputs_of_terraform_come_before_ones_own_values(tmp_path: Path) -> None:
    for name in ("outputs.json", "own.yaml"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "c").mkdir()
    wish = make_wish(replace(CHOICE, k8s=False, external="outputs.json", values=("own.yaml",)), tmp_path)
    assert wish.values == (str(tmp_path / "outputs.json"), str(tmp_path / "own.yaml"))
    assert wish.chart == str(tmp_path / "c")


def test_answer_of_a_command_is_the_result_and_settings_otherwise() -> None:
    result = StackResult(
        status=ResultStatus.DONE,
        name="team",
        kind="local",
        is_up=True,
        is_ready=False,
        url="http://127.0.0.1:1",
        environment={"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"},
        notes=("a note",),
    )
    view = view_stack(result)
    assert view.out == ("export MLFLOW_TRACKING_URI=http://127.0.0.1:1",)
    assert view.err == ("the stack `team` (local) is up, and not ready at http://127.0.0.1:1", "note: a note")
    assert json.loads(view_stack(replace(result, answer={"backup": "b"})).out[0]) == {"backup": "b"}
