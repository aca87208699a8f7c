"""What the process tells MLflow and boto3, what it logs, and how it ends."""

from __future__ import annotations

import configparser
import json
import logging
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from dockyard_tracking.application import describe_server, prepare_environment
from dockyard_tracking.command import main
from dockyard_tracking.front import Application, Front
from dockyard_tracking.logs import JsonLines, NoProbes
from dockyard_tracking.s3 import render_key
from dockyard_tracking.server import assemble
from dockyard_tracking.settings import Database, Settings
from support.asgi import Call, Message, call

SETTINGS = Settings(
    database=Database(host="db", user="us%er", password_file=Path("/run/password")),
    artifacts="s3://bucket/a",
    static_prefix="/mlflow",
)


def test_mlflow_is_told_its_store_without_a_password() -> None:
    said = describe_server(SETTINGS)
    assert said["_MLFLOW_SERVER_FILE_STORE"] == "mysql+pymysql://us%25er@db:3306/mlflow"
    assert (said["_MLFLOW_SERVER_ARTIFACT_DESTINATION"], said["_MLFLOW_STATIC_PREFIX"]) == ("s3://bucket/a", "/mlflow")


def test_job_runners_and_telemetry_are_off_unless_somebody_wants_them(tmp_path: Path) -> None:
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "true"}
    prepare_environment(SETTINGS, environment, tmp_path)
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "true"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert list(tmp_path.iterdir()) == []


def test_basic_auth_gets_its_file_and_its_secrets(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "admin-password").write_text("correct%horse#\n")
    (secrets / "session-key").write_text("key")
    environment: dict[str, str] = {}
    prepare_environment(replace(SETTINGS, auth="basic", auth_secrets=secrets, metrics=True), environment, tmp_path)
    parser = configparser.ConfigParser()  # as MLflow reads it
    parser.read(environment["MLFLOW_AUTH_CONFIG_PATH"])
    assert parser["mlflow"]["database_uri"] == "mysql+pymysql://us%25er@db:3306/mlflow"
    assert (environment["MLFLOW_AUTH_ADMIN_PASSWORD"], environment["MLFLOW_FLASK_SERVER_SECRET_KEY"]) == (
        "correct%horse#",
        "key",
    )
    assert Path(environment["prometheus_multiproc_dir"]).is_dir()


def test_boto3_asks_for_the_key_by_a_process_and_again_before_long(tmp_path: Path) -> None:
    (tmp_path / "access-key-id").write_text("dockyard\n")
    (tmp_path / "secret-access-key").write_text('se"cret')  # not a secret: nothing is signed in with it
    environment: dict[str, str] = {}
    prepare_environment(replace(SETTINGS, s3_credentials=tmp_path), environment, tmp_path)
    assert Path(environment["AWS_CONFIG_FILE"]).read_text().endswith(" -m dockyard_tracking s3-key\n")
    said = json.loads(render_key(tmp_path, datetime(2026, 1, 1, tzinfo=timezone.utc)))
    assert (said["AccessKeyId"], said["SecretAccessKey"]) == ("dockyard", 'se"cret')
    assert said["Expiration"] == "2026-01-01T00:20:00+00:00"


def record(path: str) -> logging.LogRecord:
    return logging.LogRecord("uvicorn.access", logging.INFO, "", 0, "%s %s %s", ("127.0.0.1", "GET", path), None)


def test_probes_are_not_logged_and_requests_are() -> None:
    assert [NoProbes().filter(record(path)) for path in ("/ready", "/mlflow/health", "/api/2.0/x")] == [False, False, True]


def test_log_line_is_one_json_object_with_the_trace_of_an_exception() -> None:
    one = record("/x")
    try:
        raise ValueError("no")
    except ValueError as error:
        one.exc_info = (type(error), error, error.__traceback__)
    said = json.loads(JsonLines().format(one))
    assert (said["level"], said["logger"], said["message"]) == ("info", "uvicorn.access", "127.0.0.1 GET /x")
    assert said["trace"].endswith("ValueError: no")


@pytest.fixture(name="variables")
def own_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setenv("DOCKYARD_TRACKING_DATABASE_HOST", "127.0.0.1")
    monkeypatch.setenv("DOCKYARD_TRACKING_DATABASE_PORT", "1")  # where nobody listens
    monkeypatch.setenv("DOCKYARD_TRACKING_WAIT_SECONDS", "1")
    password = tmp_path / "password"
    password.write_text("Mysql1234#")
    monkeypatch.setenv("DOCKYARD_TRACKING_DATABASE_PASSWORD_FILE", str(password))
    return monkeypatch


@pytest.mark.parametrize(("workers", "code", "exit_code"), [("none", "bad-setting", 2), ("1", "database-unreachable", 10)])
def test_migration_that_cannot_be_done_ends_with_its_own_exit_code_and_no_password(
    variables: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], workers: str, code: str, exit_code: int
) -> None:
    variables.setenv("DOCKYARD_TRACKING_WORKERS", workers)
    assert main(["migrate"]) == exit_code
    said = capfd.readouterr().err
    assert f"{code}: " in said
    assert "Mysql1234#" not in said


@pytest.mark.parametrize(("command", "missing"), [("gc", "GC_OLDER_THAN"), ("archive-traces", "ARCHIVE_AFTER")])
def test_upkeep_is_not_done_without_saying_how_old(
    variables: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str, missing: str
) -> None:
    variables.delenv(f"DOCKYARD_TRACKING_{missing}", raising=False)
    assert main([command]) == 2
    assert f"bad-setting: DOCKYARD_TRACKING_{missing} is not set." in capfd.readouterr().err


def test_key_command_prints_the_key_or_says_what_is_missing(
    variables: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["s3-key"]) == 2
    for name in ("access-key-id", "secret-access-key"):
        (tmp_path / name).write_text(name)
    variables.setenv("DOCKYARD_TRACKING_S3_CREDENTIALS", str(tmp_path))
    assert main(["s3-key"]) == 0
    assert json.loads(capfd.readouterr().out)["AccessKeyId"] == "access-key-id"


def test_front_passes_requests_to_mlflow_once_it_is_made(tmp_path: Path) -> None:
    async def application(_scope: Message, _receive: object, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    made: list[Settings] = []

    def make(settings: Settings) -> Application:
        made.append(settings)
        return application

    settings = Settings(database=Database(dialect="sqlite", name=str(tmp_path / "m.db")))
    front: Front = assemble(settings, make)
    assert call(front, Call(method="GET", path="/")).status == 503
    assert made == []
