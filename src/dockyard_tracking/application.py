"""MLflow's own application, made once the database is what it needs.

Owns what MLflow is told: its private variables, the file of its basic auth, its default settings here. MLflow is imported
here and nowhere before, so that a server which waits for its database costs little.
"""

from __future__ import annotations

import configparser
import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from dockyard_tracking.database import compose_url, read_secret
from dockyard_tracking.front import Application
from dockyard_tracking.s3 import describe_environment as describe_s3
from dockyard_tracking.s3 import limit_waiting
from dockyard_tracking.settings import Settings

DEFAULTS: Mapping[str, str] = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its runners take more than a gigabyte
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "AWS_MAX_ATTEMPTS": "3",
}
_ARTIFACT_ROOT = "mlflow-artifacts:/"


def make_application(settings: Settings) -> Application:
    """Import MLflow, open its stores, and return its application."""
    prepare_environment(settings, os.environ, Path(tempfile.gettempdir()))
    limit_waiting()
    from mlflow.server.handlers import initialize_backend_stores

    initialize_backend_stores(os.environ["_MLFLOW_SERVER_FILE_STORE"], None, _ARTIFACT_ROOT)
    if settings.auth == "basic":
        from mlflow.server.auth import create_app

        made: Application = create_app()
        return made
    from mlflow.server.fastapi_app import app

    plain: Application = app
    return plain


def prepare_environment(settings: Settings, environment: MutableMapping[str, str], scratch: Path) -> None:
    """Write into `environment` what MLflow reads from it. What is there already, of MLflow's public variables, stays."""
    for name, value in DEFAULTS.items():
        environment.setdefault(name, value)
    environment.update(describe_server(settings))
    if settings.s3_credentials:
        environment.update(describe_s3(scratch))
    if settings.metrics:
        folder = scratch / "metrics"
        folder.mkdir(exist_ok=True)
        environment["prometheus_multiproc_dir"] = str(folder)
    if settings.auth == "basic" and settings.auth_secrets:
        file = scratch / "basic_auth.ini"
        _write_auth_file(file, settings)
        environment["MLFLOW_AUTH_CONFIG_PATH"] = str(file)
        environment["MLFLOW_AUTH_ADMIN_PASSWORD"] = read_secret(settings.auth_secrets / "admin-password")
        environment["MLFLOW_FLASK_SERVER_SECRET_KEY"] = read_secret(settings.auth_secrets / "session-key")


def describe_server(settings: Settings) -> Mapping[str, str]:
    """What `mlflow server` would tell the processes it starts."""
    said = {
        "_MLFLOW_SERVER_FILE_STORE": render_url(settings),
        "_MLFLOW_SERVER_ARTIFACT_ROOT": _ARTIFACT_ROOT,
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": settings.artifacts,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SGI_NAME": "uvicorn",
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
    }
    return said | ({"_MLFLOW_STATIC_PREFIX": settings.static_prefix} if settings.static_prefix else {})


def render_url(settings: Settings) -> str:
    """The store's address as text; there is no password in it to hide."""
    return compose_url(settings.database).render_as_string(hide_password=False)


def _write_auth_file(file: Path, settings: Settings) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser["mlflow"] = {
        "default_permission": "READ",
        "database_uri": render_url(settings).replace("%", "%%"),  # MLflow reads the file with interpolation
        "admin_username": "admin",
        "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
    }
    with file.open("w", encoding="utf-8") as stream:
        parser.write(stream)
