"""A local stack of containers: what the MLflow before has logged is there after an upgrade, and after the stack was down."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
import requests
from docker.models.containers import Container
from mlflow import MlflowClient

from dockyard.domain.image import ImageDigest
from support.deployments import CONFIG, Place, ask
from support.lab_probes import fetch_status
from support.older_image import OLDER_MLFLOW, build_older_image
from support.patience import wait_for
from support.ports import reserve_port
from support.stack_command import call_stack
from support.tracking_image import BASE, TAG

pytestmark = pytest.mark.lab

PASSWORD = "Mysql1234#"  # not a secret: the one of a well-known tutorial
EXAMPLES = Path(__file__).parents[2] / "examples"
KNN = "models:/TrainedKNNModel/production"
WEIGHTS = bytes(range(256)) * 4096


@dataclass(frozen=True, kw_only=True)
class LocalStack:
    """A stack of a user with a home of their own."""

    home: Path
    engine: docker.DockerClient
    environment: dict[str, str]
    port: int

    def call(self, verb: str, *arguments: str) -> dict[str, object]:
        """`dockyard stack`: what it answers."""
        return call_stack(verb, *arguments, environment=self.environment, folder=self.home, umask=0o077)

    def containers(self) -> list[Container]:
        """Those of this stack, and of no other user's."""
        found = self.engine.containers.list(all=True, filters={"label": "dockyard.stack"}, ignore_removed=True)
        return [one for one in found if any(str(self.home) in mount["Source"] for mount in one.attrs["Mounts"])]

    def volumes(self) -> set[str]:
        """The names of its volumes."""
        mounts = [mount for one in self.containers() for mount in one.attrs["Mounts"]]
        return {str(mount["Name"]) for mount in mounts if mount["Type"] == "volume"}

    def ask(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """A request to MLflow's own API."""
        method = "GET" if body is None else "POST"
        answer = requests.request(method, f"http://127.0.0.1:{self.port}/api/2.0/mlflow/{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    def artifact(self, run: str) -> str:
        """Where an artifact of a run goes through the server."""
        return f"http://127.0.0.1:{self.port}/api/2.0/mlflow-artifacts/artifacts/1/{run}/artifacts/weights.bin"

    def describe(self, run: str) -> tuple[object, ...]:
        """What was logged, wherever it is kept."""
        version = self.ask("registered-models/alias?name=wine&alias=champion")
        return version, self.ask(f"runs/get?run_id={run}"), requests.get(self.artifact(run), timeout=60).content


@pytest.fixture(name="stack", scope="module")
def stack_of_the_mlflow_before(
    lab_engine: str, lab_environment: dict[str, str], tracking_image: ImageDigest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    home = tmp_path_factory.mktemp("stack")
    environment = lab_environment | {"DOCKER_HOST": lab_engine, "DOCKYARD_HOME": str(home)}
    older = build_older_image(tracking_image, f"{BASE}:{TAG}", environment)
    password = home / "stacks/tracking/secrets/database/password"
    password.parent.mkdir(parents=True)
    password.write_text(PASSWORD)
    with contextlib.closing(docker.DockerClient(base_url=lab_engine)) as engine:
        stack = LocalStack(home=home, engine=engine, environment=environment, port=reserve_port())
        volumes: set[str] = set()
        try:
            stack.call("up", "--local", "--image", older, "--port", str(stack.port))
            volumes = stack.volumes()
            yield stack
        finally:
            stack.call("down", "--delete-data", "--yes-delete-data", "tracking")
            left = [one for one in engine.volumes.list() if one.name in volumes]
            for one in left:
                one.remove()
        assert [one.name for one in left] == [name for name in volumes if name.endswith("-backups")]


def log_run(stack: LocalStack) -> str:
    """A run with a metric and an artifact, and a registered version of it with a tag and an alias. Returns the run's id."""
    experiment = stack.ask("experiments/create", {"name": "wine"})["experiment_id"]
    run = stack.ask("runs/create", {"experiment_id": experiment})["run"]
    assert isinstance(run, dict)
    name = str(run["info"]["run_id"])
    stack.ask("runs/log-metric", {"run_id": name, "key": "rmse", "value": 0.78, "timestamp": 1})
    requests.put(stack.artifact(name), WEIGHTS, timeout=60).raise_for_status()
    stack.ask("registered-models/create", {"name": "wine"})
    source = f"{run['info']['artifact_uri']}/model"
    version = {"name": "wine", "source": source, "run_id": name, "tags": [{"key": "größe", "value": "1"}]}
    stack.ask("model-versions/create", version)
    stack.ask("registered-models/alias", {"name": "wine", "alias": "champion", "version": "1"})
    return name


def test_what_the_mlflow_before_logged_is_there_after_an_upgrade_and_after_the_stack_was_down(
    stack: LocalStack, tracking_image: ImageDigest
) -> None:
    run = log_run(stack)
    before = stack.describe(run)
    assert before[-1] == WEIGHTS

    taken = stack.call("upgrade", "--image", str(tracking_image))["answer"]
    assert isinstance(taken, dict)
    assert (taken["mlflow"], taken["artifacts"], taken["bytes"]) == (OLDER_MLFLOW, 1, len(WEIGHTS))
    assert stack.describe(run) == before

    stack.call("down")
    assert stack.containers() == []
    assert stack.call("up", "--local")["url"] == f"http://127.0.0.1:{stack.port}"
    assert stack.describe(run) == before


def test_only_the_server_listens_on_this_machine_and_no_password_is_told(stack: LocalStack) -> None:
    containers = stack.containers()
    assert len(containers) == 3
    published = [binding for one in containers for ports in one.ports.values() for binding in ports or ()]
    assert published == [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]
    told = json.dumps([one.attrs for one in containers]) + "".join(one.logs().decode() for one in containers)
    secrets = [file.read_text() for file in (stack.home / "stacks/tracking/secrets").glob("*/*")]
    assert (len(secrets), PASSWORD in secrets) == (4, True)
    assert [one for one in secrets if one in told] == []


def test_stack_whose_data_were_deleted_comes_back_from_its_backup(stack: LocalStack, tracking_image: ImageDigest) -> None:
    version = stack.ask("registered-models/alias?name=wine&alias=champion")["model_version"]
    assert isinstance(version, dict)
    before = stack.describe(version["run_id"])

    taken = stack.call("backup")["answer"]
    stack.call("down", "--delete-data", "--yes-delete-data", "tracking")
    stack.call("up", "--local", "--image", str(tracking_image), "--port", str(stack.port))
    restored = stack.call("restore")["answer"]

    assert isinstance(taken, dict)
    assert isinstance(restored, dict)
    assert restored["backup"] == taken["backup"]
    assert stack.describe(version["run_id"]) == before


@pytest.fixture(name="place", scope="module")
def data_scientist(
    stack: LocalStack, lab_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Whoever trains and deploys, and has nothing of the stack but its address."""
    folder = tmp_path_factory.mktemp("place")
    extra = {name: lab_environment[name] for name in ("DOCKYARD_IMAGE__MIRRORS",) if name in lab_environment}
    extra["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{stack.port}"
    extra["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), lab_environment["PATH"]])  # MLflow starts `python`
    place = Place(folder=folder, home=folder / "home", cache=folder / "cache", port=reserve_port(), extra=extra)
    place.configure(CONFIG.format(port=place.port, history_limit=2))
    yield place
    place.close()


def test_wine_project_runs_against_the_stack_by_mlflow_run(place: Place) -> None:
    project = str(EXAMPLES / "sklearn_elasticnet_wine")
    place.run_program("mlflow", "run", project, "--env-manager", "local", "-P", "alpha=0.3").expect(0)
    client = MlflowClient(place.extra["MLFLOW_TRACKING_URI"])
    version = client.get_model_version("my_first_model", "1")
    params = client.get_run(str(version.run_id)).data.params
    assert (params["alpha"], params["l1_ratio"]) == ("0.3", "0.5")


@pytest.mark.filterwarnings("ignore:.*stages:FutureWarning")
def test_model_by_its_stage_answers_deployed_as_it_does_by_mlflow_models_serve(place: Place, tmp_path: Path) -> None:
    train = str(EXAMPLES / "knn_classifier/train.py")
    place.run_program("python", train).expect(0)
    client = MlflowClient(place.extra["MLFLOW_TRACKING_URI"])
    client.transition_model_version_stage("TrainedKNNModel", "1", "Production")
    client.set_registered_model_alias("TrainedKNNModel", "champion", "1")

    place.deploy(model=KNN).expect(0)
    try:
        body = json.dumps({"inputs": [[2, 10], [11, 11], [1, 2]]}).encode()
        with served_by_mlflow(place, tmp_path / "log") as port:
            theirs = ask(port, body)
        assert ask(place.port, body) == theirs == {"predictions": ["C2", "C3", "C1"]}
        assert place.deploy(model="models:/TrainedKNNModel@champion").expect(0).envelope["status"] == "unchanged"
    finally:
        place.run("delete", f"local/{place.name}", "--yes").expect(0)


@contextlib.contextmanager
def served_by_mlflow(place: Place, log: Path) -> Iterator[int]:
    """`mlflow models serve`, on a port of its own."""
    port = reserve_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m", KNN, "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--env-manager", "local"],
            env=place.environ,
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that its workers end with it
        )
    try:
        wait_for(lambda: fetch_status(f"http://127.0.0.1:{port}/ping") == 200, seconds=120)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
