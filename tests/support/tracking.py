"""Real MLflow stores with models in them: an SQLite file, and `mlflow server` on a loopback port in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

import pytest

from support.model_folder import write_model_folder
from support.ports import reserve_port

_START_SECONDS = 90.0
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True, kw_only=True)
class SeededModel:
    """A model in a store: registered twice under one name, by a run's artifact and by a logged model."""

    name: str
    run_id: str
    model_id: str
    """Of version 2, which is the logged model `other` of the run; version 1 is the run's artifact `model`."""


@dataclass(kw_only=True)
class TrackingServer:
    """`mlflow server` over a folder of its own. It keeps its port when it is stopped and started again."""

    folder: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def group(self) -> int:
        """The process group of it and its workers, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.port = self.port or reserve_port()
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)),
                    *("--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/server.db"),
                    *("--artifacts-destination", str(self.folder / "artifacts")),
                ],
                cwd=self.folder,
                env=_environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its workers end with it
            )
        self._wait()

    def stop(self) -> None:
        """Kill it, as a machine that goes away does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
            except (URLError, OSError):
                assert self._process is not None
                assert self._process.poll() is None, (self.folder / "server.log").read_text()
                time.sleep(0.2)
            else:
                return
        raise AssertionError(f"mlflow server does not answer: {(self.folder / 'server.log').read_text()}")


SQLITE = pytest.param("sqlite", marks=pytest.mark.process)
SERVER = pytest.param("server", marks=pytest.mark.process)
"""The parameters of a fixture that stand for a real store in a file, and for a real server."""


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    """One server for all tests. A test that stops it starts it again."""
    server = TrackingServer(folder=tmp_path_factory.mktemp("mlflow-server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an SQLite store, which making takes seconds. Tests use names of their own."""
    folder = tmp_path_factory.mktemp("mlflow-sqlite")
    uri = f"sqlite:///{folder}/mlflow.db"
    _make_store(uri, folder)
    return uri


@pytest.fixture(scope="session")
def mysql_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a store in a real MySQL, with its password; files are in a folder of its own."""
    uri: str = request.getfixturevalue("lab_mysql").url
    _make_store(uri, tmp_path_factory.mktemp("mlflow-mysql"))
    return uri


def seed_model(uri: str, name: str, folder: Path) -> SeededModel:
    """Log two models in one run and register both: version 1 and 2 of `name`. `folder` is for the files on the way."""
    from mlflow import MlflowClient  # takes seconds, and pytest imports this module at every start

    client = MlflowClient(uri, uri)
    artifacts = None if uri.startswith("http") else f"{folder}/artifacts"
    experiment_id = client.create_experiment(f"training {folder}", artifact_location=artifacts)
    run_id = str(client.create_run(experiment_id, tags={"mlflow.source.git.commit": COMMIT}).info.run_id)
    client.log_artifacts(run_id, str(write_model_folder(folder / "v1", content="first")), "model")
    logged = client.create_logged_model(experiment_id, name="other", source_run_id=run_id)
    client.log_model_artifacts(logged.model_id, str(write_model_folder(folder / "v2", content="second")))
    client.finalize_logged_model(logged.model_id, "READY")
    client.create_registered_model(name)
    client.create_model_version(name, f"runs:/{run_id}/model", run_id)
    # MlflowClient looks a `models:/` source up in the process's own default store, so only a server can be told that.
    source = f"models:/{logged.model_id}" if uri.startswith("http") else str(logged.artifact_location)
    client.create_model_version(name, source, run_id, model_id=logged.model_id)
    return SeededModel(name=name, run_id=run_id, model_id=str(logged.model_id))


def _make_store(uri: str, folder: Path) -> None:
    """Let MLflow make its tables in a process of its own: the folder it is in becomes the store's place for files."""
    command = "import sys; from mlflow import MlflowClient; MlflowClient(sys.argv[1], sys.argv[1]).search_experiments()"
    made = subprocess.run(
        [sys.executable, "-c", command, uri], cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
