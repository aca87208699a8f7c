"""A local stack of containers, on MySQL under a well-known password, and the stories that tutorials tell, on that one stack."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import docker
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from dockyard.domain.image import ImageDigest
from support.deployments import CONFIG, Place
from support.model_folder import write_model_folder
from support.older_image import OLDER_MLFLOW, build_older_image
from support.patience import wait_for
from support.ports import reserve_port
from support.tracking_image import BASE, TAG

pytestmark = pytest.mark.lab

PASSWORD = "Mysql1234#"  # not a secret: the one of a well-known tutorial
EXAMPLES = Path(__file__).parents[2] / "examples"
KNN = "models:/TrainedKNNModel/production"


@dataclass(frozen=True, kw_only=True)
class LocalStack:
    """A stack, and the user whose it is."""

    place: Place
    engine: docker.DockerClient
    url: str

    def call(self, verb: str, *arguments: str) -> dict[str, object]:
        """`dockyard stack`: what it answers."""
        return dict(self.place.run("stack", verb, "--json", *arguments).expect(0).result)

    def containers(self) -> list[docker.models.containers.Container]:
        """Those of this stack, and of no other user's."""
        found = self.engine.containers.list(all=True, filters={"label": "dockyard.stack"})
        return [one for one in found if any(str(self.place.folder) in mount["Source"] for mount in one.attrs["Mounts"])]

    def volumes(self) -> set[str]:
        """The names of its volumes."""
        mounts = [mount for one in self.containers() for mount in one.attrs["Mounts"]]
        return {str(mount["Name"]) for mount in mounts if mount["Type"] == "volume"}

    def describe(self, folder: Path) -> dict[str, object]:
        """What was logged in `log_model`, wherever it is kept."""
        client = MlflowClient(self.url, self.url)
        version = client.get_model_version_by_alias("wine", "champion")
        arrived = Path(download_artifacts(str(version.source), dst_path=str(folder), tracking_uri=self.url))
        return {
            "run": client.get_run(str(version.run_id)).to_dictionary(),
            "version": (version.source, version.tags, version.creation_timestamp),
            "artifacts": read_files(arrived),
        }


def read_files(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def log_model(url: str, folder: Path) -> None:
    """A run with a metric and an artifact, and a registered version of it with an alias and a tag."""
    client = MlflowClient(url, url)
    run = client.create_run(client.create_experiment("wine")).info
    client.log_metric(run.run_id, "rmse", 0.78)
    client.log_artifacts(run.run_id, str(write_model_folder(folder)), "model")
    client.create_registered_model("wine")
    client.create_model_version("wine", f"{run.artifact_uri}/model", run.run_id, tags={"größe": "1"})
    client.set_registered_model_alias("wine", "champion", "1")


@pytest.fixture(name="stack", scope="module")
def stack_of_the_last_mlflow(
    lab_engine: str, lab_environment: dict[str, str], tracking_image: ImageDigest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("stack")
    environment = lab_environment | {"DOCKER_HOST": lab_engine}
    older = build_older_image(tracking_image, f"{BASE}:{TAG}", environment)
    port = reserve_port()
    url = f"http://127.0.0.1:{port}"
    home = folder / "home"
    extra = {name: lab_environment[name] for name in ("DOCKYARD_IMAGE__MIRRORS",) if name in lab_environment}
    extra |= {"DOCKER_HOST": lab_engine, "MLFLOW_TRACKING_URI": url}
    place = Place(folder=folder, home=home, cache=folder / "cache", port=reserve_port(), extra=extra)
    place.configure(CONFIG.format(port=place.port, history_limit=2))
    password = home / "stacks/tracking/secrets/database/password"
    password.parent.mkdir(parents=True)
    password.write_text(PASSWORD)
    with contextlib.closing(docker.DockerClient(base_url=lab_engine)) as engine:
        stack = LocalStack(place=place, engine=engine, url=url)
        try:
            stack.call("up", "--local", "--image", older, "--port", str(port))
            yield stack
        finally:
            volumes = stack.volumes()
            place.run("stack", "down", "--delete-data", "--yes-delete-data", "tracking")
            left = [one for one in engine.volumes.list() if one.name in volumes]
            for one in left:
                one.remove()
        assert [one.name for one in left] == [name for name in volumes if name.endswith("-backups")]


def test_what_the_last_mlflow_logged_is_there_after_an_upgrade_and_after_the_stack_was_down(
    stack: LocalStack, tracking_image: ImageDigest, tmp_path: Path
) -> None:
    log_model(stack.url, tmp_path / "model")
    before = stack.describe(tmp_path / "before")

    taken = stack.call("upgrade", "--image", str(tracking_image))["answer"]
    assert isinstance(taken, dict)
    assert (taken["mlflow"], taken["artifacts"]) == (OLDER_MLFLOW, len(read_files(tmp_path / "model")))
    assert stack.describe(tmp_path / "upgraded") == before

    assert stack.place.run("stack", "down", "--delete-data").code == 2
    stack.call("down")
    assert stack.containers() == []
    told = stack.call("up", "--local")
    assert (told["url"], stack.describe(tmp_path / "again")) == (stack.url, before)
    assert stack.place.run("stack", "up", "--local", "--json").expect(0).envelope["status"] == "unchanged"


def test_only_the_server_listens_on_this_machine_and_no_password_is_told(stack: LocalStack) -> None:
    containers = stack.containers()
    assert len(containers) == 3
    published = [binding for one in containers for ports in one.ports.values() for binding in ports or ()]
    assert published == [{"HostIp": "127.0.0.1", "HostPort": stack.url.rpartition(":")[2]}]
    told = json.dumps([one.attrs for one in containers]) + "".join(one.logs().decode() for one in containers)
    secrets = [file.read_text() for file in (stack.place.home / "stacks/tracking/secrets").glob("*/*")]
    assert PASSWORD in secrets
    assert [one for one in secrets if one in told and len(one) > len("dockyard")] == []


def test_wine_project_runs_against_the_stack_by_mlflow_run(stack: LocalStack) -> None:
    project = str(EXAMPLES / "sklearn_elasticnet_wine")
    stack.place.run_program("mlflow", "run", project, "--env-manager", "local", "-P", "alpha=0.3").expect(0)
    client = MlflowClient(stack.url, stack.url)
    version = client.get_model_version("my_first_model", "1")
    assert client.get_run(str(version.run_id)).data.params == {"alpha": "0.3", "l1_ratio": "0.5"}


@pytest.mark.filterwarnings("ignore:.*stages:FutureWarning")
def test_model_by_its_stage_answers_deployed_as_it_does_by_mlflow_models_serve(stack: LocalStack, tmp_path: Path) -> None:
    train = str(EXAMPLES / "knn_classifier/train.py")
    stack.place.run_program("python", train).expect(0)
    client = MlflowClient(stack.url, stack.url)
    client.transition_model_version_stage("TrainedKNNModel", "1", "Production")
    client.set_registered_model_alias("TrainedKNNModel", "champion", "1")

    stack.place.deploy(model=KNN).expect(0)
    try:
        body = json.dumps({"inputs": [[2, 10], [11, 11], [1, 2]]}).encode()
        with served_by_mlflow(stack, tmp_path / "log") as port:
            theirs = ask(port, body)
        assert ask(stack.place.port, body) == theirs == {"predictions": ["C2", "C3", "C1"]}
        assert stack.place.deploy(model="models:/TrainedKNNModel@champion").expect(0).envelope["status"] == "unchanged"
    finally:
        stack.place.run("delete", f"local/{stack.place.name}", "--yes").expect(0)


def ask(port: int, body: bytes) -> object:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@contextlib.contextmanager
def served_by_mlflow(stack: LocalStack, log: Path) -> Iterator[int]:
    """`mlflow models serve`, on a port of its own."""
    port = reserve_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m", KNN, "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--env-manager", "local"],
            env=stack.place.environ,
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that its workers end with it
        )
    try:
        wait_for(lambda: pings(port), seconds=120)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def pings(port: int) -> bool:
    with contextlib.suppress(URLError, OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
        return True
    return False
