"""Claims about `dockyard.yaml`: where it is found, what overrides what, and how a wrong one is told."""

from __future__ import annotations

import inspect
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from dockyard.adapters.config_environ import spell_variable
from dockyard.adapters.config_file import Flag, Surroundings, find_file, load_settings
from dockyard.domain.deployment import Runtime, Target
from dockyard.domain.errors import DockyardError, UsageError
from dockyard.domain.image import BuilderKind
from dockyard.domain.settings import EnvironmentSettings, SecretRef, Settings, Source

HOME = {"HOME": "/home/user"}


def load(folder: Path, text: str | bytes = "", environ: Mapping[str, str] | None = None, *flags: Flag) -> Settings:
    """The settings of a folder whose dockyard.yaml says `text`."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "dockyard.yaml").write_bytes(data)
    return load_settings(Surroundings(folder=folder, environ={**HOME, **(environ or {})}, flags=flags))


def refuse(folder: Path, text: str | bytes = "", environ: Mapping[str, str] | None = None) -> UsageError:
    """The error that loading raises."""
    with pytest.raises(UsageError) as caught:
        load(folder, text, environ)
    assert caught.value.code == "config-invalid"
    assert caught.value.exit_code == 2
    return caught.value


def origin_of(settings: Settings, path: str) -> tuple[object, Source, str | None]:
    """Value, source and origin that the settings show for a key."""
    found = next(one for one in settings.provenance if one.path == path)
    return found.value, found.source, found.origin


def test_without_a_file_there_is_one_environment_for_each_target(tmp_path: Path) -> None:
    settings = load_settings(Surroundings(folder=tmp_path, environ=HOME))
    local, sagemaker, k8s = settings.environments
    assert k8s == EnvironmentSettings(name="k8s", target=Target.K8S, is_configured=False)
    assert local == EnvironmentSettings(name="local", is_configured=False)
    assert sagemaker == EnvironmentSettings(name="sagemaker", target=Target.SAGEMAKER, is_configured=False)
    assert settings.config_file is None
    assert {one.source for one in settings.provenance} == {Source.DEFAULT}


def test_the_targets_own_are_there_beside_configured_environments(tmp_path: Path) -> None:
    settings = load(tmp_path, "environments:\n  prod: {port: 80}\n")
    assert [(one.name, one.is_configured) for one in settings.environments] == [
        ("local", False),
        ("sagemaker", False),
        ("k8s", False),
        ("prod", True),
    ]


def test_every_key_of_the_file_reaches_the_settings(tmp_path: Path) -> None:
    text = """
registry: {tracking_uri: "http://mlflow:5000", registry_uri: {env: REGISTRY}}
image:
  builder: engine
  base: python:3.11
  platform: linux/arm64
  format: docker
  repository: r.example/team/models
  mirrors: {docker.io: ["https://m.example"]}
  insecure_registries: ["localhost:5000"]
  system_packages: [libgomp1]
  credentials: [{host: r.example, username: bob, password: {file: pass.txt}}]
environments:
  prod: {runtime: process, port: 8080, env: {A: b, DB_PASSWORD: {env: DB}}, ready_timeout_seconds: 1, grace_seconds: 2,
    request_timeout_seconds: 3, max_body_bytes: 4, history_limit: 6, smoke_requests: 7}
"""
    settings = load(tmp_path, text)
    assert settings.registry.tracking_uri == "http://mlflow:5000"
    assert settings.registry.registry_uri == SecretRef(env="REGISTRY")
    assert settings.image.builder is BuilderKind.ENGINE
    assert settings.image.system_packages == ("libgomp1",)
    assert settings.access.mirrors == (("docker.io", ("https://m.example",)),)
    assert settings.access.credentials[0].password == SecretRef(file=str(tmp_path / "pass.txt"))
    assert settings.find_environment("prod") == EnvironmentSettings(
        name="prod",
        runtime=Runtime.PROCESS,
        port=8080,
        env=(("A", "b"), ("DB_PASSWORD", SecretRef(env="DB"))),
        ready_timeout_seconds=1,
        grace_seconds=2,
        request_timeout_seconds=3,
        max_body_bytes=4,
        history_limit=6,
        smoke_requests=7,
    )


def test_flag_beats_variable_beats_file_beats_default(tmp_path: Path) -> None:
    path, flag = ("image", "base"), Flag(path=("image", "base"), value="of-flag", name="--base")
    variable = {"DOCKYARD_IMAGE__BASE": "of-variable"}
    text = "image:\n  base: of-file\n"
    assert spell_variable(path) == "DOCKYARD_IMAGE__BASE"
    assert origin_of(load(tmp_path, text, variable, flag), "image.base") == ("of-flag", Source.FLAG, "--base")
    assert origin_of(load(tmp_path, text, variable), "image.base") == (
        "of-variable",
        Source.ENVIRONMENT,
        "DOCKYARD_IMAGE__BASE",
    )
    assert origin_of(load(tmp_path, text), "image.base") == ("of-file", Source.FILE, "dockyard.yaml:2")
    assert origin_of(load(tmp_path, ""), "image.base") == (None, Source.DEFAULT, None)


def test_a_key_that_the_file_leaves_out_is_a_default_although_its_section_is_there(tmp_path: Path) -> None:
    settings = load(tmp_path, "environments:\n  prod: {port: 80}\n")
    assert origin_of(settings, "environments.prod.port") == (80, Source.FILE, "dockyard.yaml:2")
    assert origin_of(settings, "environments.prod.runtime") == ("auto", Source.DEFAULT, None)


def test_mlflows_own_variable_counts_below_the_file(tmp_path: Path) -> None:
    variable = {"MLFLOW_TRACKING_URI": "http://of-mlflow"}
    shown = origin_of(load(tmp_path, "", variable), "registry.tracking_uri")
    assert shown == ("http://of-mlflow", Source.ENVIRONMENT, "MLFLOW_TRACKING_URI")
    assert load(tmp_path, "registry: {tracking_uri: http://of-file}", variable).registry.tracking_uri == "http://of-file"
    both = {**variable, "DOCKYARD_REGISTRY__TRACKING_URI": "http://of-dockyard"}
    assert load(tmp_path, "", both).registry.tracking_uri == "http://of-dockyard"


def test_variables_spell_environment_names_in_capitals(tmp_path: Path) -> None:
    environ = {
        "DOCKYARD_ENVIRONMENTS__PROD_EU__PORT": "81",
        "DOCKYARD_ENVIRONMENTS__LOCAL__RUNTIME": "process",
        "DOCKYARD_ENVIRONMENTS__NEW__ENV__MiXed__NAME": "value",
    }
    settings = load(tmp_path, "environments:\n  prod-EU: {}\n", environ)
    assert settings.find_environment("prod-EU").port == 81
    assert settings.find_environment("local").runtime is Runtime.PROCESS
    assert settings.find_environment("new").env == (("MiXed__NAME", "value"),)


@pytest.mark.parametrize("text", ["a:1, b:2", '["a:1", "b:2"]'])
def test_a_variable_spells_a_list_with_commas_or_as_json(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, "", {"DOCKYARD_IMAGE__INSECURE_REGISTRIES": text}).access.insecure_registries == ("a:1", "b:2")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    environ = {"DOCKYARD_IMAGE__BASE": "", "DOCKYARD_CONFIG": "", "DOCKYARD_HOME": "", "MLFLOW_TRACKING_URI": ""}
    assert {one.source for one in load(tmp_path, "", environ).provenance} == {Source.DEFAULT}


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"MLFLOW_TRACKING_URI": "mysql://user:pa55@db/x"}, "registry.tracking_uri"),
        ({"DOCKYARD_REGISTRY__REGISTRY_URI": "mysql://user:pa55@db/x"}, "registry.registry_uri"),
        ({"DOCKYARD_ENVIRONMENTS__LOCAL__ENV__API_TOKEN": "pa55"}, "environments.local.env.API_TOKEN"),
    ],
)
def test_a_secret_in_a_variable_is_referred_to_and_shown_as_stars(tmp_path: Path, environ: dict[str, str], path: str) -> None:
    settings = load(tmp_path, "", environ)
    assert origin_of(settings, path) == ("***", Source.ENVIRONMENT, next(iter(environ)))
    assert "pa55" not in repr(settings)
    assert "pa55" not in repr(settings.provenance)


@pytest.mark.parametrize(
    "text",
    [
        "registry: {tracking_uri: 'mysql://user:pa55@db/x'}",
        "image: {credentials: [{host: h, username: u, password: pa55}]}",
        "image: {mirrors: {docker.io: ['https://user:pa55@m.example']}}",
        "environments: {prod: {env: {DB_PASSWORD: pa55}}}",
        "environments: {prod: {env: {AWS_SECRET_ACCESS_KEY: pa55}}}",
    ],
)
def test_a_plain_text_secret_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    error = refuse(tmp_path, text)
    assert "pa55" not in f"{error.message} {error.hint} {error.details}"


def test_unknown_key_names_path_line_and_nearest_key(tmp_path: Path) -> None:
    error = refuse(tmp_path, "# comment\nimage:\n  bulder: direct\n")
    assert error.message == "dockyard.yaml:3: `image.bulder` is not a known key"
    assert error.hint == "did you mean `builder`?"


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("imge: {}", "image"),
        ("environments: {prod: {prot: 1}}", "port"),
        ("image: {credentials: [{host: h, username: u, pasword: {env: A}}]}", "password"),
        ("image: {credentials: [{host: h, username: u, password: {fil: A}}]}", "file"),
        ("registry: {tracking_url: x}", "tracking_uri"),
        ("environments: {p: {sagemaker: {serverles: {}}}}", "serverless"),
        ("environments: {p: {sagemaker: {serverless: {memory_md: 1}}}}", "memory_mb"),
    ],
)
def test_the_nearest_key_is_one_of_the_same_section(tmp_path: Path, text: str, nearest: str) -> None:
    error = refuse(tmp_path, text)
    assert f"`{nearest}`" in f"{error.hint} {error.details}"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = "image: {bulder: x, base: ''}\nenvironments:\n  a.b: {}\n  p: {port: 70000, env: {A: 3}}\nregistry: 4\n"
    error = refuse(tmp_path, text, {"DOCKYARD_IMAGE__BSE": "x"})
    assert error.message == "the configuration (dockyard.yaml) has 7 problems"
    assert error.details == (
        "DOCKYARD_IMAGE__BSE: `image.bse` is not a known key; did you mean `base`?",
        "dockyard.yaml:1: `image.base` must not be empty",
        "dockyard.yaml:1: `image.bulder` is not a known key; did you mean `builder`?",
        (
            "dockyard.yaml:3: `environments.a.b` is not a valid environment name; use 1 to 63 letters, digits, `_` and `-`, "
            "beginning and ending with a letter or a digit"
        ),
        "dockyard.yaml:4: `environments.p.env.A` must be text; put it in quotes",
        "dockyard.yaml:4: `environments.p.port` must be at most 65535",
        "dockyard.yaml:5: `registry` must be a mapping",
    )


def test_a_section_without_keys_counts_as_left_out(tmp_path: Path) -> None:
    settings = load(tmp_path, "image:\nregistry:\n  tracking_uri:\nenvironments:\n  prod:\n    env:\n")
    assert settings.find_environment("prod") == EnvironmentSettings(name="prod")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: [", "dockyard.yaml:1: the file is not YAML"),
        (b"image: {}\nimage: {}", "dockyard.yaml:2: the key `image` is there twice"),
        (b"- 1", "the file must be a mapping"),
        (b"image:\n \xff", "dockyard.yaml:2: the file is not UTF-8 text"),
        (b"image: !!python/object/apply:os.system [x]", "dockyard.yaml:1: `image` must be a mapping"),
        (b"image: {base: !!python/name:os.system x}", "is not allowed here"),
        (b"image: &a [*a]", "nested too deeply"),
        (b"a: \x07", "characters that YAML does not allow"),
        (b"? [1]\n: 2", "a key must be plain text"),
        (b"<<: 3", "must name a mapping"),
        (b"a: b\n" * 300_000, "larger than 1 MiB"),
    ],
)
def test_bytes_that_are_no_configuration_are_refused_with_the_reason(tmp_path: Path, data: bytes, message: str) -> None:
    assert message in refuse(tmp_path, data).message


def test_a_file_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    lines = ["x0: &x0 {k: v}"] + [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "unfolds into too many values" in refuse(tmp_path, "\n".join(lines)).message


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    text = "environments:\n  a: &base {port: 1, grace_seconds: 9}\n  b: {<<: *base, port: 2}\n"
    settings = load(tmp_path, text)
    assert (settings.find_environment("b").port, settings.find_environment("b").grace_seconds) == (2, 9)


def test_words_of_yaml_1_1_stay_text(tmp_path: Path) -> None:
    settings = load(tmp_path, "environments: {p: {env: {A: yes, B: 2026-01-01, C: 1:30, D: 010}}}")
    assert settings.find_environment("p").env == (("A", "yes"), ("B", "2026-01-01"), ("C", "1:30"), ("D", "010"))


def test_a_value_that_is_no_address_is_not_taken_for_one_without_password(tmp_path: Path) -> None:
    assert "plain text" in refuse(tmp_path, "registry: {tracking_uri: 'http://[u:pa55@x'}").message
    assert load(tmp_path, "registry: {tracking_uri: 'http://[x'}").registry.tracking_uri == "http://[x"


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "dockyard.yaml").symlink_to("/proc/self/mem")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        load_settings(Surroundings(folder=tmp_path, environ=HOME))
    assert caught.value.exit_code == 2


@contextmanager
def little_stack() -> Iterator[None]:
    """Less depth than usual: YAML takes the square of it to find that it has no more."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 250)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def test_what_is_nested_too_deeply_is_refused_in_the_file_and_in_a_variable(tmp_path: Path) -> None:
    with little_stack():
        assert "nested too deeply" in refuse(tmp_path, "[" * 50_000).message
        assert "must be a list" in refuse(tmp_path, "", {"DOCKYARD_IMAGE__INSECURE_REGISTRIES": "[" * 50_000}).message


def test_an_alias_in_itself_is_refused_in_a_variable_too(tmp_path: Path) -> None:
    assert "must be a list" in refuse(tmp_path, "", {"DOCKYARD_IMAGE__INSECURE_REGISTRIES": "[&a [*a]]"}).message


class TestSearch:
    """Where the file is looked for."""

    def test_upwards_to_the_root_of_the_git_repository(self, tmp_path: Path) -> None:
        inner = tmp_path / "repository" / "a" / "b"
        inner.mkdir(parents=True)
        (tmp_path / "repository" / ".git").mkdir()
        (tmp_path / "dockyard.yaml").touch()
        assert find_file(Surroundings(folder=inner, environ={})) is None
        (tmp_path / "repository" / "dockyard.yaml").touch()
        assert find_file(Surroundings(folder=inner, environ={})) == tmp_path / "repository" / "dockyard.yaml"
        (inner / "dockyard.yaml").touch()
        assert find_file(Surroundings(folder=inner, environ={})) == inner / "dockyard.yaml"

    def test_outside_of_a_repository_in_the_working_folder_only(self, tmp_path: Path) -> None:
        inner = tmp_path / "a"
        inner.mkdir()
        (tmp_path / "dockyard.yaml").touch()
        assert find_file(Surroundings(folder=inner, environ={})) is None

    def test_a_named_file_comes_before_the_variable_and_both_before_the_search(self, tmp_path: Path) -> None:
        for name in ("dockyard.yaml", "of-flag.yaml", "of-variable.yaml"):
            (tmp_path / name).touch()
        environ = {"DOCKYARD_CONFIG": "of-variable.yaml"}
        assert find_file(Surroundings(folder=tmp_path, environ=environ)) == tmp_path / "of-variable.yaml"
        named = Surroundings(folder=tmp_path, environ=environ, named_file="of-flag.yaml")
        assert find_file(named) == tmp_path / "of-flag.yaml"

    def test_a_named_file_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError) as caught:
            load_settings(Surroundings(folder=tmp_path, environ=HOME, named_file="missing.yaml"))
        assert caught.value.code == "config-not-found"
        assert "`missing.yaml`" in caught.value.message


class TestHomes:
    """Where state and cache are kept."""

    def test_own_variable_then_xdg_then_home(self, tmp_path: Path) -> None:
        own = load(tmp_path, "", {"DOCKYARD_HOME": "state", "DOCKYARD_CACHE": "/c", "XDG_STATE_HOME": "/xdg"})
        assert (own.state_home, own.cache_home) == (tmp_path / "state", Path("/c"))
        xdg = load(tmp_path, "", {"XDG_STATE_HOME": "/xdg/s", "XDG_CACHE_HOME": "/xdg/c"})
        assert (xdg.state_home, xdg.cache_home) == (Path("/xdg/s/dockyard"), Path("/xdg/c/dockyard"))
        plain = load(tmp_path, "", {"XDG_STATE_HOME": "relative"})
        assert plain.state_home == Path("/home/user/.local/state/dockyard")
        assert plain.cache_home == Path("/home/user/.cache/dockyard")


def _is_settings_or_usage_error(data: bytes, environ: Mapping[str, str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return isinstance(load(Path(folder), data, environ), Settings)
        except DockyardError as error:
            return error.exit_code == 2


_NAMES = st.sampled_from(
    ["registry", "image", "environments", "prod", "tracking_uri", "mirrors", "credentials", "env", "port", "base", "file", "<<"]
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=9) | st.dates()
_TREES = st.recursive(
    _SCALARS | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES | st.text() | st.integers(), inner, max_size=4),
    max_leaves=12,
)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_settings_or_an_error_with_exit_code_2(data: bytes) -> None:
    assert _is_settings_or_usage_error(data, {})


@given(text=st.text(alphabet=st.sampled_from("image:envbs{}[]&*<!|>-?,'\"#%@~ \n\t1x.\u0085\ufeff"), max_size=60))
def test_any_text_like_yaml_is_settings_or_an_error_with_exit_code_2(text: str) -> None:
    assert _is_settings_or_usage_error(text.encode(), {})


@given(tree=_TREES)
@example(tree={"=": None})
@example(tree={"image": {"=text": 1}})
@example(tree={"[key]": {}})
def test_any_yaml_is_settings_or_an_error_with_exit_code_2(tree: object) -> None:
    assert _is_settings_or_usage_error(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"), {})


_VARIABLES = st.lists(
    st.sampled_from(["IMAGE", "ENVIRONMENTS", "REGISTRY", "BASE", "MIRRORS", "LOCAL", "ENV", "PORT", "CREDENTIALS", "X", ""]),
    min_size=1,
    max_size=5,
).map(lambda parts: "DOCKYARD_" + "__".join(parts))


@given(environ=st.dictionaries(_VARIABLES, st.text() | st.sampled_from(["[]", "{", '{"a": {"b": []}}', "80"]), max_size=4))
def test_any_variables_are_settings_or_an_error_with_exit_code_2(environ: dict[str, str]) -> None:
    assert _is_settings_or_usage_error(b"image: 3", environ)
    assert _is_settings_or_usage_error(b"", environ)
