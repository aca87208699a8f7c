"""MLflow servers that SageMaker manages: Dockyard and AWS's own plugin, before a real MLflow server whose door asks for AWS's
signature.

The plugin's address is moved here by its own variable SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT; AWS's name for it is told apart below.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from support.lab import ROOT
from support.model_folder import write_model_folder
from support.signed_door import SignedDoor, open_door
from support.tracking import TrackingServer

pytestmark = pytest.mark.lab

SERVER = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/team-a"
APP = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-app/app-ABC123"
SECRET = "canary-0815-secret"
PROGRAM = """
import json, sys
from pathlib import Path
from dockyard.adapters.mlflow_managed import find_host
from dockyard.adapters.mlflow_registry import MlflowRegistry
from dockyard.adapters.mlflow_session import MlflowSession
from dockyard.domain.errors import DockyardError
from dockyard.domain.reference import parse_model_ref
what, arn, name, cache = sys.argv[1:]
def resolve():
    version = MlflowRegistry(arn, None, Path(cache)).resolve_model(parse_model_ref(f"models:/{name}/1")).version
    return {"registry": version.identity.registry, "version": version.identity.version, "flavors": list(version.flavors)}
def tag():
    with MlflowSession(arn, None).open_client("write a tag") as client:
        client.set_model_version_tag(name, "1", "dockyard.test", "a value with spaces + signs")
def host():
    return find_host(arn)
try:
    told = {"value": {"resolve": resolve, "tag": tag, "host": host}[what]()}
except DockyardError as error:
    told = {"code": error.code, "message": error.message, "hint": error.hint}
print(json.dumps(told))
"""


@dataclass(frozen=True, kw_only=True)
class Managed:
    """Dockyard in the Python that has the plugin, the door, and a model behind it."""

    python: Path
    folder: Path
    door: SignedDoor
    model: str
    own: MlflowClient

    def run(self, what: str, arn: str, **variables: str) -> dict[str, object]:
        """What the program told. The ARN is a setting: MLFLOW_TRACKING_URI says nothing."""
        environ = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}/src",
            "AWS_ACCESS_KEY_ID": "TEST-ACCESS-KEY",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": self.door.url,
            **variables,
        }
        done = subprocess.run(
            [self.python, "-W", "ignore", "-c", PROGRAM, what, arn, self.model, str(self.folder / "cache")],
            env={name: value for name, value in environ.items() if value},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert SECRET not in done.stdout + done.stderr
        told: dict[str, object] = json.loads(done.stdout)
        return told


@pytest.fixture(scope="module")
def model(tracking_server: TrackingServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registered model whose files the client reaches itself, as it does those on S3."""
    folder, client = tmp_path_factory.mktemp("managed"), MlflowClient(tracking_server.uri, tracking_server.uri)
    experiment = client.create_experiment("managed", artifact_location=f"file://{folder}/artifacts")
    run = client.create_run(experiment)
    client.log_artifacts(run.info.run_id, str(write_model_folder(folder / "model")), "model")
    client.create_registered_model("managed")
    client.create_model_version("managed", f"{run.info.artifact_uri}/model", run.info.run_id)
    return "managed"


@pytest.fixture
def managed(request: pytest.FixtureRequest, sagemaker_sdk: Path, tmp_path: Path, model: str) -> object:
    server: TrackingServer = request.getfixturevalue("tracking_server")
    door = request.getfixturevalue("door")
    own = MlflowClient(server.uri, server.uri)
    return Managed(python=sagemaker_sdk, folder=tmp_path, door=door, model=model, own=own)


@pytest.fixture
def door(tracking_server: TrackingServer) -> object:
    with open_door(tracking_server.uri, SECRET) as opened:
        yield opened


@pytest.mark.parametrize(
    ("arn", "header", "service"),
    [
        (SERVER, "x-mlflow-sm-tracking-server-arn", "sagemaker-mlflow"),
        (APP, "x-sm-mlflow-app-arn", "sagemaker"),
    ],
)
def test_model_is_resolved_by_signed_requests_that_name_the_server(
    managed: Managed, arn: str, header: str, service: str
) -> None:
    told = managed.run("resolve", arn)
    assert told["value"] == {"registry": arn, "version": "1", "flavors": ["python_function", "sklearn"]}
    asked = [knock for knock in managed.door.knocks if knock.path != "/health"]
    assert asked
    assert all(knock.is_let_in for knock in asked)
    assert {knock.scope for knock in asked} == {f"eu-west-1/{service}"}
    assert {knock.headers.get(header) for knock in asked} == {arn}


def test_what_is_written_is_signed_with_its_body(managed: Managed) -> None:
    assert managed.run("tag", SERVER) == {"value": None}
    assert managed.own.get_model_version(managed.model, "1").tags["dockyard.test"] == "a value with spaces + signs"


@pytest.mark.parametrize(
    "variables",
    [{"AWS_SECRET_ACCESS_KEY": "another-secret-of-somebody"}, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}],
    ids=["wrong", "none"],
)
def test_wrong_and_missing_credentials_of_aws_are_told_as_such(managed: Managed, variables: dict[str, str]) -> None:
    told = managed.run("resolve", SERVER, **variables)
    assert told["code"] == "credentials-refused", told
    assert "for a server that SageMaker manages, the usual AWS variables" in str(told["hint"])


def test_server_that_does_not_answer_is_told_within_seconds(managed: Managed) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
        started = time.monotonic()
        told = managed.run("resolve", SERVER, SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT=closed)
    assert (told["code"], SERVER in str(told["message"])) == ("tracking-unreachable", True)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("arn", "host"),
    [
        (SERVER, "https://eu-west-1.experiments.sagemaker.aws"),
        (APP, "https://mlflow.sagemaker.eu-west-1.app.aws"),
    ],
)
def test_without_the_variable_it_is_asked_at_aws(managed: Managed, arn: str, host: str) -> None:
    assert managed.run("host", arn, SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT="") == {"value": host}
    assert managed.door.knocks == []
