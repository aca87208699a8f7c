"""MLflow's own command line and client on our plugins, with a fake Kit behind them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from mlflow.deployments import interface
from mlflow.deployments.cli import commands
from mlflow.exceptions import MlflowException

from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import NotFoundError, UnavailableError
from dockyard.domain.request import DeleteRequest, K8sDeployRequest, LocalDeployRequest, SageMakerDeployRequest
from dockyard.domain.result import StatusResult
from dockyard.domain.sagemaker_steps import CreateRole
from dockyard.mlflow_deployments import desk, k8s, sagemaker
from dockyard.mlflow_deployments.client import DockyardClient
from dockyard.mlflow_deployments.config import SECTIONS, Config
from dockyard.mlflow_deployments.errors import DeploymentError
from dockyard.wiring import DockyardKit
from support import results
from support.fake_kit import CommandLine, FakeKit
from support.k8s_bench import K8sBench
from support.sagemaker_bench import SageMakerBench
from support.sagemaker_values import make_spec

WINE = DeploymentKey(environment="k8s", name="wine", target=Target.K8S)
NONE = StatusResult(rows=())
PLUGINS: dict[str, tuple[ModuleType, type[DockyardClient]]] = {
    "dockyard-k8s": (k8s, k8s.K8sClient),
    "dockyard-sagemaker": (sagemaker, sagemaker.SageMakerClient),
}


@contextmanager
def plug_in(kit: FakeKit) -> Iterator[None]:
    """Let MLflow find our plugins, on a fake Kit."""
    before = dict(interface.plugin_store.registry)
    for name, (module, kind) in PLUGINS.items():

        class Client(kind):  # type: ignore[misc, valid-type]
            def __init__(self, target_uri: str) -> None:
                super().__init__(target_uri, kit.open)

        def run_local(name: str, model_uri: str, flavor: str | None, config: Config) -> None:
            desk.run_here(name, model_uri, flavor, config, kit.open)

        plugin = SimpleNamespace(Client=Client, run_local=run_local, target_help=module.target_help)
        interface.plugin_store.registry[name] = plugin
    try:
        yield
    finally:
        interface.plugin_store.registry.clear()
        interface.plugin_store.registry.update(before)


def mlflow(kit: FakeKit, *arguments: str, target: str = "dockyard-k8s") -> Result:
    """Run `mlflow deployments`."""
    with plug_in(kit):
        return CliRunner().invoke(commands, [arguments[0], "-t", target, *arguments[1:]])


def open_client(kit: FakeKit, target: str = "dockyard-k8s") -> k8s.K8sClient:
    return k8s.K8sClient(target, kit.open)


def test_create_asks_for_the_deploy_that_the_command_line_asks_for(dockyard: CommandLine) -> None:
    dockyard.kit.listed = NONE
    settings = ("-C", "replicas=3", "-C", "namespace=models", "-C", "node_selector={disk: ssd}", "-C", "clients=shop,lab")
    more = ("-C", "image.repository=r.example.com/m", "-C", "history_limit=2", "-C", "env.A=b", "-C", "promote=true")
    ended = mlflow(dockyard.kit, "create", "-m", "models:/wine/3", "--name", "wine", *settings, *more, "-C", "lock_wait=7")
    assert ended.exit_code == 0, ended.output
    assert "python_function deployment wine is created" in ended.output
    _, request, plan_only = dockyard.kit.calls[-1]
    assert isinstance(request, K8sDeployRequest)
    assert not plan_only

    flags = ("--replicas", "3", "--namespace", "models", "--repository", "r.example.com/m", "--promote", "--lock-wait", "7")
    text = "environments: {k8s: {history_limit: 2, env: {A: b}, k8s: {node_selector: {disk: ssd}, clients: [shop, lab]}}}"
    (dockyard.folder / "dockyard.yaml").write_text(text)
    dockyard.deploy("k8s", "-m", "models:/wine/3", "--name", "wine", *flags)
    assert dockyard.kit.calls[-1][1] == request


def test_environment_is_named_by_the_target(dockyard: CommandLine) -> None:
    dockyard.kit.listed = NONE
    (dockyard.folder / "dockyard.yaml").write_text(
        "environments: {prod: {target: sagemaker, sagemaker: {instance: ml.c5.large}}}"
    )
    target = "dockyard-sagemaker:/prod"
    ended = mlflow(dockyard.kit, "create", "-m", "wine", "--name", "wine", "-C", "rollout.kind=canary", target=target)
    assert ended.exit_code == 0, ended.output
    request = dockyard.kit.calls[-1][1]
    assert isinstance(request, SageMakerDeployRequest)
    assert request.key == DeploymentKey(environment="prod", name="wine", target=Target.SAGEMAKER)
    assert request.policy.rollout.kind.value == "canary"
    refused = mlflow(dockyard.kit, "create", "-m", "wine", "--name", "wine", target="dockyard-k8s:/prod")
    assert (refused.exit_code, "environment-unknown" in refused.output) == (2, True)


def test_create_refuses_a_name_that_serves_and_update_one_that_is_not_there(dockyard: CommandLine) -> None:
    taken = mlflow(dockyard.kit, "create", "-m", "wine", "--name", "wine")
    assert (taken.exit_code, "name-taken" in taken.output, "hint: `update`" in taken.output) == (1, True, True)
    dockyard.kit.listed = NONE
    absent = mlflow(dockyard.kit, "update", "-m", "wine", "--name", "wine")
    assert (absent.exit_code, "deployment-not-found" in absent.output) == (2, True)
    assert [call[0] for call in dockyard.kit.calls] == ["status", "status"]


def test_what_was_killed_before_it_served_is_created_again(dockyard: CommandLine) -> None:
    dockyard.kit.listed = StatusResult(rows=results.STATUS.rows[1:])
    assert mlflow(dockyard.kit, "create", "-m", "wine", "--name", "other").exit_code == 0


def test_update_without_a_model_deploys_the_version_that_serves(dockyard: CommandLine) -> None:
    ended = mlflow(dockyard.kit, "update", "--name", "wine", "-C", "replicas=4")
    assert ended.exit_code == 0, ended.output
    request = dockyard.kit.calls[-1][1]
    assert isinstance(request, K8sDeployRequest)
    assert (request.ref.text, request.policy.replicas) == (f"models:/{results.MODEL.name}/{results.MODEL.version}", 4)
    row = replace(results.STATUS.rows[0], model=replace(results.MODEL, version=None))
    dockyard.kit.listed = StatusResult(rows=(row,))
    assert mlflow(dockyard.kit, "update", "--name", "wine").exit_code == 2


def test_list_and_get_tell_what_status_tells(dockyard: CommandLine) -> None:
    listed = mlflow(dockyard.kit, "list")
    assert "'state': 'serving'" in listed.output
    assert dockyard.kit.calls == [("status", "k8s", None)]
    found = open_client(dockyard.kit).get_deployment("wine")
    assert (found["name"], found["endpoint"], found["revisions"]) == ("wine", results.URL, [2, 3])
    assert json.loads(json.dumps(found)) == found


def test_delete_is_idempotent_and_hides_no_other_failure(dockyard: CommandLine) -> None:
    assert mlflow(dockyard.kit, "delete", "--name", "wine", "-C", "lock_wait=3").exit_code == 0
    assert dockyard.kit.calls == [("delete", DeleteRequest(key=WINE, lock_wait_seconds=3.0), False)]
    dockyard.kit.error = NotFoundError("deployment-not-found", "there is none")
    assert mlflow(dockyard.kit, "delete", "--name", "wine").exit_code == 0
    dockyard.kit.error = UnavailableError("cluster-unreachable", "it is away")
    assert "cluster-unreachable: it is away" in mlflow(dockyard.kit, "delete", "--name", "wine").output


def test_predict_sends_the_file_and_prints_the_answer(dockyard: CommandLine) -> None:
    (dockyard.folder / "in.json").write_text('{"a": {"0": 1, "1": 2}}')
    ended = mlflow(dockyard.kit, "predict", "--name", "wine", "-I", "in.json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout) == {"predictions": [5.5, "é"]}
    _, key, body, kind = dockyard.kit.calls[-1]
    assert (key, kind, json.loads(str(body, "utf-8"))["dataframe_split"]["data"]) == (WINE, "application/json", [[1], [2]])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("inputs", "sent"),
    [
        ({"a": np.array([1, 2])}, {"inputs": {"a": [1, 2]}}),
        ({"instances": [[1]]}, {"instances": [[1]]}),
        ([1, 2], {"inputs": [1, 2]}),
        (np.array([[1.5]]), {"inputs": [[1.5]]}),
        (pd.DataFrame({"a": [1]}), {"dataframe_split": {"index": [0], "columns": ["a"], "data": [[1]]}}),
        ('{"inputs": 1}', {"inputs": 1}),
        (b'{"inputs": 2}', {"inputs": 2}),
    ],
)
def test_inputs_are_sent_as_mlflows_server_takes_them(dockyard: CommandLine, inputs: object, sent: object) -> None:
    assert open_client(dockyard.kit).predict("wine", inputs) == {"predictions": [5.5, "é"]}
    body = dockyard.kit.calls[-1][2]
    assert isinstance(body, bytes)
    assert json.loads(body) == sent


@pytest.mark.parametrize("bench", [K8sBench(), SageMakerBench()], ids=["k8s", "sagemaker"])
def test_life_of_a_deployment_on_the_targets_twin(dockyard: CommandLine, bench: K8sBench | SageMakerBench) -> None:
    kind = k8s.K8sClient if isinstance(bench, K8sBench) else sagemaker.SageMakerClient
    client = kind(f"dockyard-{kind.target.value}", lambda settings: DockyardKit(bench.open(), settings))
    first = client.create_deployment("wine", "models:/wine/1", config={"yes": True})
    assert (first["name"], first["flavor"], first["revision"]) == ("wine", "python_function", 1)
    assert client.update_deployment("wine", "models:/wine/2")["revision"] == 2
    assert client.update_deployment("wine")["status"] == "unchanged"
    assert [(one["name"], one["revision"]) for one in client.list_deployments()] == [("wine", 2)]
    assert client.get_deployment("wine")["model"]["version"] == "2"
    assert "predictions" in client.predict("wine", [1])
    client.delete_deployment("wine")
    client.delete_deployment("wine")
    assert client.list_deployments() == []
    assert dockyard.kit.calls == []


def test_no_inputs_ask_with_the_models_own_example(dockyard: CommandLine) -> None:
    open_client(dockyard.kit).predict("wine")
    assert dockyard.kit.calls == [("predict", WINE, None, "application/json")]


def test_run_local_deploys_here_and_prints_the_url(dockyard: CommandLine) -> None:
    ended = mlflow(dockyard.kit, "run-local", "-m", "wine", "--name", "wine", "-C", "port=4711")
    assert (ended.exit_code, results.URL in ended.output) == (0, True), ended.output
    request = dockyard.kit.calls[-1][1]
    assert isinstance(request, LocalDeployRequest)
    assert (request.key, request.port) == (DeploymentKey(environment="local", name="wine"), 4711)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explain", "--name", "wine", "-I", "in.json"), "explain no predictions"),
        (("predict", "--endpoint", "wine", "-I", "in.json"), "under no endpoint"),
        (("update", "--name", "wine", "-C", "replica=2"), "did you mean `replicas`"),
        (("update", "--name", "wine", "-C", "image.bass=2"), "did you mean `base`"),
        (("update", "--name", "wine", "-C", "promote=perhaps"), "`-C promote` is neither true nor false"),
        (("update", "--name", "wine", "-C", "lock_wait=soon"), "`-C lock_wait` is no number"),
        (("update", "--name", "wine", "-f", "sklearn"), "the flavor sklearn is not served"),
        (("get", "--name", "Wein!"), "name-invalid"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(dockyard: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    (dockyard.folder / "in.json").write_text("{}")
    ended = mlflow(dockyard.kit, *arguments)
    assert (ended.exit_code, type(ended.exception)) == (2, SystemExit)
    assert words in ended.output
    assert [call[0] for call in dockyard.kit.calls if call[0] != "status"] == []


def test_python_callers_get_mlflows_exception_with_our_code(dockyard: CommandLine) -> None:
    dockyard.kit.error = UnavailableError("cluster-unreachable", "it is away", hint="wait")
    with pytest.raises(MlflowException, match="cluster-unreachable: it is away\nhint: wait") as raised:
        open_client(dockyard.kit).get_deployment("wine")
    assert isinstance(raised.value, DeploymentError)
    assert (raised.value.code, raised.value.error_code) == ("cluster-unreachable", "TEMPORARILY_UNAVAILABLE")


def test_role_is_made_only_where_it_was_allowed(dockyard: CommandLine) -> None:
    step = CreateRole(name="wine-role", spec=make_spec())
    plan = replace(results.PLAN, steps=(step,))
    dockyard.kit.listed, dockyard.kit.deployed = NONE, replace(results.DEPLOYED, plan=plan)
    arguments = ("create", "-m", "wine", "--name", "wine")
    refused = mlflow(dockyard.kit, *arguments, target="dockyard-sagemaker")
    assert (refused.exit_code, "`-C yes=true` allows it" in refused.output) == (2, True)
    assert mlflow(dockyard.kit, *arguments, "-C", "yes=true", target="dockyard-sagemaker").exit_code == 0


@pytest.mark.parametrize("target", PLUGINS)
def test_help_lists_every_setting_that_the_target_has(dockyard: CommandLine, target: str) -> None:
    ended = mlflow(dockyard.kit, "help", target=target)
    assert ended.exit_code == 0
    fields = SECTIONS[Target(target.removeprefix("dockyard-"))].model_fields
    assert [name for name in fields if f"  {name}: " not in ended.output] == []
    assert ": None" not in ended.output


def test_plugins_load_where_only_mlflow_skinny_is() -> None:
    absent = ("pandas", "numpy", "sqlalchemy", "flask", "alembic", "sklearn")
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({absent!r}))\n"
        "from mlflow.deployments import plugin_manager\n"
        "plugins = plugin_manager.DeploymentPlugins()\n"
        "plugins.register('k8s', 'dockyard.mlflow_deployments.k8s')\n"
        "plugins.register('sagemaker', 'dockyard.mlflow_deployments.sagemaker')\n"
        "print(plugins['k8s'].K8sClient('k8s').target.value, plugins['sagemaker'].target_help()[:18])\n"
        "from dockyard.mlflow_deployments.payload import write_body\n"
        "print(write_body({'a': [1]}).decode())\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stdout) == (0, 'k8s dockyard-sagemaker\n{"inputs": {"a": [1]}}\n'), done.stderr
