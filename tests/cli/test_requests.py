"""Claims about what the command line asks of the use cases for what was typed."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.domain.deployment import DeploymentKey, LocalSettings, Runtime, Target
from dockyard.domain.image import BuilderKind, ImageSettings
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import BatchRequest, BuildRequest, DeleteRequest, LocalDeployRequest, RollbackRequest
from dockyard.domain.sagemaker import Instances
from dockyard.domain.sagemaker_batch import Assembly, BatchSettings, Strategy
from support.fake_kit import CommandLine, Terminal
from support.results import KEY

CLUSTER_KEY = DeploymentKey(environment="k8s", name="wine", target=Target.K8S)
ACCOUNT_KEY = DeploymentKey(environment="sagemaker", name="model", target=Target.SAGEMAKER)
PROD = DeploymentKey(environment="prod", name="wine")
CONFIG = """
image: {base: python:3.11}
environments:
  prod: {runtime: process, port: 8080, env: {A: file, B: {env: OF_B}}, grace_seconds: 9, history_limit: 2, smoke_requests: 7}
"""


def configure(dockyard: CommandLine, text: str = CONFIG) -> None:
    """Write dockyard.yaml."""
    (dockyard.folder / "dockyard.yaml").write_text(text)


def deploy_request(dockyard: CommandLine, *arguments: str) -> LocalDeployRequest:
    """The request that `deploy local` makes."""
    ended = dockyard.deploy("local", *arguments)
    assert ended.code == 0, ended.err
    verb, request, _ = dockyard.kit.calls[-1]
    assert verb == "deploy"
    assert isinstance(request, LocalDeployRequest)
    return request


def test_deploy_asks_with_the_defaults_where_nothing_is_said(dockyard: CommandLine) -> None:
    assert deploy_request(dockyard, "-m", "wine") == LocalDeployRequest(
        ref=parse_model_ref("wine"),
        key=KEY,
        settings=LocalSettings(runtime=Runtime.AUTO),
        image=ImageSettings(),
    )


def test_the_script_deploy_is_the_command_deploy(dockyard: CommandLine) -> None:
    short, long = dockyard.deploy("local", "-m", "wine", "--json"), dockyard("deploy", "local", "-m", "wine", "--json")
    assert short == long
    assert dockyard.kit.calls[0] == dockyard.kit.calls[1]


def test_deploy_takes_the_environments_settings(dockyard: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(dockyard)
    monkeypatch.setenv("OF_B", "revealed")
    request = deploy_request(dockyard, "-m", "models:/wine@champion", "--env", "prod")
    assert request.key == PROD
    assert request.settings == LocalSettings(runtime=Runtime.PROCESS, env=(("A", "file"), ("B", "revealed")), grace_seconds=9)
    assert (request.port, request.history_limit, request.smoke_requests) == (8080, 2, 7)
    assert request.image.base == "python:3.11"


def test_flags_of_deploy_count_more_than_the_file(dockyard: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(dockyard)
    monkeypatch.setenv("OF_B", "revealed")
    monkeypatch.setenv("OF_HERE", "of-here")
    flags = ["--name", "w2", "--port", "81", "--runtime", "docker", "--timeout", "3", "--lock-wait", "1.5", "--promote"]
    flags += ["--builder", "engine", "--base", "b"]
    variables = ["-e", "A=x=y", "--set-env", "OF_HERE", "-e", "EMPTY="]
    request = deploy_request(dockyard, "-m", "wine", "--env", "prod", *flags, *variables)
    assert request.key == replace(PROD, name="w2")
    assert request.settings.env == (("A", "x=y"), ("B", "revealed"), ("EMPTY", ""), ("OF_HERE", "of-here"))
    assert request.settings.runtime is Runtime.DOCKER
    assert request.settings.ready_timeout_seconds == 3
    assert (request.port, request.promote, request.lock_wait_seconds) == (81, True, 1.5)
    assert (request.image.builder, request.image.base) == (BuilderKind.ENGINE, "b")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("wine", "wine"),
        ("models:/wine/3", "wine"),
        ("models:/wine@champion", "wine"),
        ("runs:/abc/model", "model"),
        ("models:/m-0a1b", "m-0a1b"),
        ("s3://bucket/models/wine", "wine"),
        ("./some/wine", "wine"),
        ("/some/wine/", "wine"),
        (".", "work"),
        ("some/..", "work"),
    ],
)
def test_a_deployment_without_name_is_called_as_its_model(dockyard: CommandLine, model: str, name: str) -> None:
    assert deploy_request(dockyard, "-m", model).key.name == name


def test_a_variable_chooses_the_environment_and_the_option_counts_more(
    dockyard: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(dockyard, "environments: {prod: {}, staging: {}}")
    monkeypatch.setenv("DOCKYARD_ENV", "prod")
    assert deploy_request(dockyard, "-m", "wine").key.environment == "prod"
    assert deploy_request(dockyard, "-m", "wine", "--env", "staging").key.environment == "staging"
    dockyard("promote", "staging/wine")
    assert dockyard.kit.calls[-1] == ("promote", DeploymentKey(environment="staging", name="wine"))


def test_config_names_the_file(dockyard: CommandLine) -> None:
    (dockyard.folder / "other.yaml").write_text("environments: {local: {port: 99}}")
    assert deploy_request(dockyard, "-m", "wine", "--config", "other.yaml").port == 99


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        (["deploy", "local", "-m", "wine", "--plan"], ("deploy", None, True)),
        (["build", "-m", "wine"], ("build", BuildRequest(ref=parse_model_ref("wine"), image=ImageSettings()))),
        (
            ["build", "--model", "wine", "--push", "--repository", "r.example/x", "--tag", "t"],
            (
                "build",
                BuildRequest(ref=parse_model_ref("wine"), image=ImageSettings(repository="r.example/x"), push=True, tag="t"),
            ),
        ),
        (["status"], ("status", None, None)),
        (["status", "wine"], ("status", None, "wine")),
        (["status", "prod/wine"], ("status", "prod", "wine")),
        (["status", "--env", "prod"], ("status", "prod", None)),
        (["history", "wine"], ("history", KEY, 20)),
        (["history", "prod/wine", "-n", "3"], ("history", PROD, 3)),
        (["logs", "wine"], ("logs", KEY, None, False, 100)),
        (["logs", "wine", "--revision", "2", "-f", "--tail", "0"], ("logs", KEY, 2, True, 0)),
        (["predict", "wine"], ("predict", KEY, None, "application/json")),
        (["predict", "wine", "-d", "[[1]]"], ("predict", KEY, b"[[1]]", "application/json")),
        (["predict", "wine", "-d", "@body.csv", "--content-type", "text/csv"], ("predict", KEY, b"a,b\n", "text/csv")),
        (["rollback", "wine"], ("rollback", RollbackRequest(key=KEY), False)),
        (
            ["rollback", "wine", "--env", "prod", "--revision", "2", "--plan", "--lock-wait", "3"],
            (
                "rollback",
                RollbackRequest(key=PROD, number=2, history_limit=2, smoke_requests=7, lock_wait_seconds=3.0),
                True,
            ),
        ),
        (["promote", "prod/wine"], ("promote", PROD)),
        (["delete", "wine", "--lock-wait", "2"], ("delete", DeleteRequest(key=KEY, lock_wait_seconds=2.0), False)),
        (["delete", "wine", "--plan"], ("delete", DeleteRequest(key=KEY), True)),
        (["drift"], ("drift", None)),
        (["drift", "wine"], ("drift", KEY)),
        (["gc"], ("gc", 30, False)),
        (["gc", "--plan", "--cache-days", "7"], ("gc", 7, True)),
        (["sync"], ("sync",)),
        (["doctor"], ("doctor",)),
        (["doctor", "local"], ("doctor",)),
        (["doctor", "k8s", "--name", "wine"], ("doctor_cluster", CLUSTER_KEY)),
        (["doctor", "sagemaker"], ("doctor_account", ACCOUNT_KEY, False)),
        (
            ["doctor", "sagemaker", "--name", "wine", "--refresh-prices"],
            ("doctor_account", replace(ACCOUNT_KEY, name="wine"), True),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_verb_makes_one_call(dockyard: CommandLine, arguments: list[str], call: tuple[object, ...]) -> None:
    configure(dockyard, CONFIG.replace("image: {base: python:3.11}", ""))
    (dockyard.folder / "body.csv").write_text("a,b\n")
    ended = dockyard(*arguments)
    assert ended.code in {0, 4}, ended.err
    made = dockyard.kit.calls[-1]
    assert made[0] == call[0]
    assert all(wanted is None or wanted == got for wanted, got in zip(call, made, strict=True))
    assert len(dockyard.kit.calls) == 1


def test_predict_reads_stdin_behind_an_at_sign(dockyard: CommandLine) -> None:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b'{"inputs": [1]}'))
    try:
        dockyard("predict", "wine", "--data", "@-")
    finally:
        sys.stdin = before
    assert dockyard.kit.calls == [("predict", KEY, b'{"inputs": [1]}', "application/json")]


class TestDeleteAtATerminal:
    """`delete` asks a person first."""

    def delete(self, dockyard: CommandLine, answer: str, *arguments: str) -> tuple[int, str]:
        before, sys.stdin = sys.stdin, Terminal(answer)
        try:
            ended = dockyard("delete", "wine", *arguments)
        finally:
            sys.stdin = before
        return ended.code, ended.err

    def test_shows_what_goes_away_and_deletes_for_a_yes(self, dockyard: CommandLine) -> None:
        code, err = self.delete(dockyard, "y\n")
        assert code == 0
        assert "close port 1234" in err
        assert "delete local/wine? [y/N]" in err
        assert [call[-1] for call in dockyard.kit.calls] == [True, False]

    @pytest.mark.parametrize("answer", ["n\n", "\n", ""])
    def test_changes_nothing_for_anything_else(self, dockyard: CommandLine, answer: str) -> None:
        code, err = self.delete(dockyard, answer)
        assert code == 130
        assert "error[cancelled]: local/wine was not deleted" in err
        assert [call[-1] for call in dockyard.kit.calls] == [True]

    def test_does_not_ask_with_yes(self, dockyard: CommandLine) -> None:
        code, err = self.delete(dockyard, "", "--yes")
        assert code == 0
        assert "[y/N]" not in err


def test_drift_of_one_environment_leaves_out_the_others(dockyard: CommandLine) -> None:
    configure(dockyard, "environments: {prod: {}}")
    ended = dockyard("drift", "--env", "prod")
    assert ended.code == 0
    assert "no drift in 1 deployment" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["deploy", "local"], "usage", "'--model'"),
        (["deploy", "local", "-m", "wine", "--port", "0"], "usage", "'--port'"),
        (["deploy", "local", "-m", "wine", "--runtime", "podman"], "usage", "'--runtime'"),
        (["deploy", "local", "-m", "a b:c"], "model-ref-invalid", "`a b:c`"),
        (["deploy", "local", "-m", "wine", "--name", "a.b"], "name-invalid", "`a.b`"),
        (["deploy", "local", "-m", "/"], "name-invalid", "`/`"),
        (["deploy", "local", "-m", "wine", "--env", "nowhere"], "environment-unknown", "`nowhere`"),
        (["deploy", "local", "-m", "wine", "--env", "a/b"], "name-invalid", "`a/b`"),
        (["deploy", "local", "-m", "wine", "-e", "1X=3"], "usage", "`-e` needs KEY=VALUE"),
        (["deploy", "local", "-m", "wine", "-e", "NOT_SET_HERE"], "usage", "`-e NOT_SET_HERE`"),
        (["deploy", "local", "-m", "wine", "--base", ""], "config-invalid", "--base: `image.base` must not be empty"),
        (["deploy", "local", "-m", "wine", "--config", "missing.yaml"], "config-not-found", "`missing.yaml`"),
        (["deploy", "nowhere"], "usage", "nowhere"),
        (["build", "-m", "wine", "--push"], "usage", "`--push` needs a repository"),
        (["predict", "wine", "-d", "@missing.json"], "usage", "`missing.json` cannot be read"),
        (["logs", "prod/wine", "--env", "local"], "usage", "two environments"),
        (["history"], "usage", "NAME"),
        (["doctor", "--refresh-prices"], "usage", "are for `doctor sagemaker`"),
        (["doctor", "local", "--env", "prod"], "usage", "need a target"),
        (["doctor", "k8s", "--refresh-prices"], "usage", "are for `doctor sagemaker`"),
        (["doctor", "k8s", "--region", "eu-west-1"], "usage", "are for `doctor sagemaker`"),
        (["status", "--region", "eu-west-1", "--namespace", "shop"], "usage", "in a cluster or in an AWS region"),
        (["predict", "local/wine", "--namespace", "shop"], "environment-unknown", "`local` is for local, not for k8s"),
        (["drift", "--region", "eu-west-1", "--env", "local"], "environment-unknown", "is for local, not for sagemaker"),
        (["doctor", "sagemaker", "--env", "local"], "environment-unknown", "`local` is for local"),
        (["doctor", "sagemaker", "--name", "a.b"], "name-invalid", "`a.b`"),
        (["doctor", "nowhere"], "usage", "nowhere"),
        (["status", "a.b"], "name-invalid", "`a.b`"),
        (["nothing"], "usage", "nothing"),
        (["--nothing"], "usage", "--nothing"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_a_code_a_hint_and_no_call(
    dockyard: CommandLine, arguments: list[str], code: str, message: str
) -> None:
    ended = dockyard(*arguments)
    assert ended.code == 2
    assert f"error[{code}]" in ended.err
    assert message in ended.err
    assert "\n\nhint: " in ended.err
    assert ended.out == ""
    assert dockyard.kit.calls == []


def test_a_secret_that_is_not_there_ends_with_2(dockyard: CommandLine) -> None:
    configure(dockyard)
    ended = dockyard.deploy("local", "-m", "wine", "--env", "prod")
    assert ended.code == 2
    assert "error[secret-unavailable]: the environment variable OF_B" in ended.err


def test_the_request_does_not_show_the_models_variables(dockyard: CommandLine) -> None:
    request = deploy_request(dockyard, "-m", "wine", "-e", "API_TOKEN=s3cr3t")
    assert "s3cr3t" not in repr(request)


def test_a_folder_with_a_tilde_is_one_of_the_users_home(dockyard: CommandLine) -> None:
    assert deploy_request(dockyard, "-m", "~/wine").key.name == "wine"
    assert Path("~").expanduser() == dockyard.folder.parent / "home"


def batch_request(dockyard: CommandLine, *arguments: str) -> BatchRequest:
    """The request that `batch sagemaker` makes."""
    ended = dockyard("batch", "sagemaker", "-m", "wine", "--input", "s3://b/in/", "--output", "s3://b/out", "--yes", *arguments)
    assert ended.code == 0, ended.err
    verb, request, _ = dockyard.kit.calls[-1]
    assert verb == "batch"
    assert isinstance(request, BatchRequest)
    assert ended.out == "s3://bucket/answers\n"
    return request


def test_batch_asks_with_the_defaults_where_nothing_is_said(dockyard: CommandLine) -> None:
    request = batch_request(dockyard)
    assert (request.input, request.output, request.waits) == ("s3://b/in/", "s3://b/out", True)
    assert request.settings == BatchSettings()
    assert request.deploy.key == replace(ACCOUNT_KEY, name="wine")


def test_batch_takes_the_environments_section_and_flags_count_more(dockyard: CommandLine) -> None:
    section = "{instance: ml.c5.large, batch: {split: line, assemble: line, max_payload_mb: 2, content_type: text/plain}}"
    configure(dockyard, f"environments: {{prod: {{target: sagemaker, sagemaker: {section}}}}}")
    flags = ["--count", "3", "--split", "none", "--strategy", "multi-record", "--max-concurrent", "4", "--timeout", "9"]
    request = batch_request(dockyard, "--env", "prod", "--no-wait", *flags)
    assert request.settings == BatchSettings(
        instances=Instances(instance_type="ml.c5.large", count=3),
        content_type="text/plain",
        assemble=Assembly.LINE,
        strategy=Strategy.MULTI_RECORD,
        max_payload_mb=2,
        max_concurrent=4,
        timeout_seconds=9,
    )
    assert not request.waits
    assert request.deploy.settings.capacity == Instances(instance_type="ml.c5.large")


def test_batch_flag_that_is_wrong_is_told_by_its_own_name(dockyard: CommandLine) -> None:
    ended = dockyard(
        "batch", "sagemaker", "-m", "wine", "--input", "s3://b/in/", "--output", "s3://b/out", "--max-payload", "101"
    )
    assert ended.code == 2
    assert "--max-payload" in ended.err


def test_planned_batch_shows_its_steps(dockyard: CommandLine) -> None:
    places = ("--input", "s3://b/in/", "--output", "s3://b/out")
    ended = dockyard("batch", "sagemaker", "-m", "wine", *places, "--plan", "--detailed-exitcode")
    assert ended.code == 4
    assert "wait until transform job wine-0123456789abcdef-1 is completed" in ended.out
