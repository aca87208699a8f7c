"""The way to MLflow: addresses that mean the same everywhere, settings that yield to the user's, no store made by mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.adapters.mlflow_session import DEFAULTS, MlflowSession, absolute_uri, prepare_environment


@pytest.fixture(autouse=True)
def _no_mlflow_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*DEFAULTS, "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"]:
        monkeypatch.setenv(name, "")  # so that monkeypatch takes back what the code sets
        monkeypatch.delenv(name)


def test_relative_sqlite_file_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_uri("sqlite:///a b.db") == f"sqlite:///{tmp_path}/a b.db"
    assert MlflowSession("sqlite:///mlflow.db", None).name == f"sqlite:///{tmp_path}/mlflow.db"


@pytest.mark.parametrize("uri", ["sqlite:////var/mlflow.db", "http://mlflow:5000", "mysql+pymysql://db/mlflow", "databricks"])
def test_other_addresses_stay_as_they_are(uri: str) -> None:
    assert absolute_uri(uri) == uri


def test_addresses_come_from_the_settings_then_from_mlflows_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking")
    assert MlflowSession(None, None).registry_uri == "http://tracking"
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://registry")
    assert (MlflowSession(None, None).tracking_uri, MlflowSession(None, None).registry_uri) == (
        "http://tracking",
        "http://registry",
    )
    own = MlflowSession("http://mine", "http://models")
    assert (own.tracking_uri, own.registry_uri, own.name) == ("http://mine", "http://models", "http://models")


def test_without_any_setting_it_is_mlflows_own_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert MlflowSession(None, None).tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"


def test_missing_database_file_is_noticed_and_not_made(tmp_path: Path) -> None:
    missing, there = f"sqlite:///{tmp_path}/missing.db", f"sqlite:///{tmp_path}/there%20too.db"
    (tmp_path / "there too.db").touch()
    assert MlflowSession(missing, None).find_missing_store() == missing
    assert MlflowSession(there, missing).find_missing_store() == missing
    assert MlflowSession(there, "http://mlflow").find_missing_store() is None
    assert not (tmp_path / "missing.db").exists()


def test_what_the_user_has_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    prepare_environment()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "9"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_credentials_are_neither_in_the_name_nor_kept_by_the_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "canary-0815")
    session = MlflowSession("http://ann:canary-4711@mlflow", None)
    assert session.name == "http://mlflow"
    assert "canary" not in session.redactor.redact("canary-4711 canary-0815")


def test_database_store_without_the_full_mlflow_is_told_with_the_extra_to_install(tmp_path: Path) -> None:
    # A process of its own in which SQLAlchemy cannot be imported, as with mlflow-skinny alone.
    script = """
import sys
from pathlib import Path
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "sqlalchemy":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
sys.meta_path.insert(0, Absent())
from dockyard.adapters.mlflow_registry import MlflowRegistry
from dockyard.domain.errors import DockyardError
from dockyard.domain.reference import parse_model_ref
try:
    MlflowRegistry(sys.argv[1], None, Path("cache")).resolve_model(parse_model_ref("wine"))
except DockyardError as error:
    print(error.code, error.exit_code, error.hint)
"""
    (tmp_path / "mlflow.db").touch()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, f"sqlite:///{tmp_path}/mlflow.db"],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("dependency-missing 2 an embedded database store needs"), done.stderr
    assert "dockyard[local]" in done.stdout
