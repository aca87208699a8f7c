"""Runs an example's training in a process of its own against a store of its own.

Owns the process, and the looks into its store afterwards; what the examples promise is for the tests to say.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow.pyfunc
from mlflow.entities import Run
from mlflow.pyfunc import scoring_server
from mlflow.tracking import MlflowClient

from support.session import make_once

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TIMEOUT_SECONDS = 120
_STDOUT, _STDERR = "stdout.txt", "stderr.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A finished training: what it said, and the store it wrote to."""

    stdout: str
    stderr: str
    store_uri: str

    def client(self) -> MlflowClient:
        """Return a client of the store and its registry."""
        return MlflowClient(self.store_uri, self.store_uri)

    def run_of(self, name: str) -> Run:
        """Return the run that version 1 of the registered model came from."""
        return self.client().get_run(self.client().get_model_version(name, "1").run_id)

    def experiment_of(self, name: str) -> str:
        """Return the name of the experiment that version 1 of the registered model came from."""
        return str(self.client().get_experiment(self.run_of(name).info.experiment_id).name)

    def model_folder(self, name: str) -> Path:
        """Return the folder that holds the files of version 1 of the registered model."""
        return Path(self.client().get_model_version_download_uri(name, "1").removeprefix("file://"))


def answer(model_folder: Path, body: str) -> dict[str, object]:
    """Return what MLflow's own server answers to the JSON request `body`."""
    model = mlflow.pyfunc.load_model(str(model_folder))
    parsed = scoring_server.infer_and_parse_data(json.loads(body), model.metadata.get_input_schema())
    written = io.StringIO()
    scoring_server.predictions_to_json(model.predict(parsed), written)
    return dict(json.loads(written.getvalue()))


def train_wine(session_folder: Path) -> Training:
    """Train the wine example as an MLflow Project, once a session."""
    options = ("--env-manager", "local", "--experiment-name", "wine", "-P", "alpha=0.5", "-P", "l1_ratio=0.5")
    return _train_once(session_folder / "trained-wine", "mlflow", "run", str(EXAMPLES / "sklearn_elasticnet_wine"), *options)


def train_knn(session_folder: Path) -> Training:
    """Train the nearest-neighbour example, once a session."""
    return _train_once(session_folder / "trained-knn", sys.executable, str(EXAMPLES / "knn_classifier" / "train.py"))


def _train_once(folder: Path, *command: str) -> Training:
    make_once(folder, lambda folder: _train(folder, *command))
    said = [(folder / name).read_text(encoding="utf-8") for name in (_STDOUT, _STDERR)]
    return Training(stdout=said[0], stderr=said[1], store_uri=_store_uri(folder))


def _store_uri(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"


def _train(folder: Path, *command: str) -> None:
    """Run `command` in `folder` with a new SQLite store there; fails the test with its output when it does not succeed."""
    interpreter_folder = str(Path(sys.executable).parent)
    # A newcomer's shell has none of these, and with PYTHONDONTWRITEBYTECODE every import is compiled anew.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTHON"))}
    environment["MLFLOW_TRACKING_URI"] = _store_uri(folder)
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"  # tests stay on this machine
    environment["PATH"] = os.pathsep.join([interpreter_folder, environment.get("PATH", os.defpath)])
    environment["TMPDIR"] = str(folder)  # `mlflow run` leaves an empty folder in it
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert finished.returncode == 0, finished.stderr
    (folder / _STDOUT).write_text(finished.stdout, encoding="utf-8")
    (folder / _STDERR).write_text(finished.stderr, encoding="utf-8")
