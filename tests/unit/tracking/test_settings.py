"""Settings come from variables; what is wrong is named before anything is contacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard_tracking.errors import TrackingError
from dockyard_tracking.settings import read_settings

MYSQL = {"DATABASE_HOST": "db", "DATABASE_PASSWORD_FILE": "/run/secrets/password"}


def read(**variables: str):  # type: ignore[no-untyped-def]  # noqa: ANN201 - the type under test
    return read_settings({f"DOCKYARD_TRACKING_{name}": value for name, value in (MYSQL | variables).items()})


def test_defaults_are_mysql_without_auth_and_with_proxied_artifacts() -> None:
    settings = read()
    database = settings.database
    assert (database.dialect, database.port, database.name, database.user) == ("mysql", 3306, "mlflow", "mlflow")
    assert (settings.auth, settings.artifact_access, settings.port, settings.workers) == ("none", "proxied", 5000, 1)


def test_port_follows_the_dialect() -> None:
    assert read(DATABASE_DIALECT="postgresql").database.port == 5432
    assert read(DATABASE_DIALECT="postgresql", DATABASE_PORT="6432").database.port == 6432


def test_sqlite_needs_neither_host_nor_password() -> None:
    settings = read_settings({"DOCKYARD_TRACKING_DATABASE_DIALECT": "sqlite", "DOCKYARD_TRACKING_DATABASE_NAME": "/data/m.db"})
    assert settings.database.name == "/data/m.db"


def test_every_variable_reaches_its_setting() -> None:
    settings = read(
        DATABASE_NAME="store",
        DATABASE_USER="us er@%",
        DATABASE_LOGIN="iam",
        DATABASE_TLS_CA="/ca.pem",
        ARTIFACTS="s3://bucket/prefix",
        ARTIFACT_ACCESS="presigned",
        S3_CREDENTIALS="/run/s3",
        AUTH="basic",
        AUTH_SECRETS="/run/auth",
        HOST="127.0.0.1",
        PORT="8443",
        WORKERS="2",
        STATIC_PREFIX="/ml/flow",
        METRICS="true",
        GRACE_SECONDS="9",
        LOCK_SECONDS="11",
        WAIT_SECONDS="12",
        TLS="/run/tls",
        GC_OLDER_THAN="30d",
        ARCHIVE_AFTER="12h",
    )
    database = settings.database
    assert (database.name, database.user, database.login, database.tls_ca) == ("store", "us er@%", "iam", Path("/ca.pem"))
    assert (settings.artifacts, settings.artifact_access) == ("s3://bucket/prefix", "presigned")
    assert (settings.s3_credentials, settings.auth_secrets) == (Path("/run/s3"), Path("/run/auth"))
    assert (settings.tls, settings.gc_older_than, settings.archive_after) == (Path("/run/tls"), "30d", "12h")
    assert (settings.auth, settings.host, settings.port, settings.workers) == ("basic", "127.0.0.1", 8443, 2)
    assert (settings.static_prefix, settings.metrics) == ("/ml/flow", True)
    assert (settings.grace_seconds, settings.lock_seconds, settings.wait_seconds) == (9, 11, 12)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_DIALECT", "oracle"),
        ("DATABASE_HOST", ""),
        ("DATABASE_PASSWORD_FILE", ""),
        ("DATABASE_PORT", "0"),
        ("DATABASE_PORT", "³"),
        ("DATABASE_LOGIN", "kerberos"),
        ("ARTIFACT_ACCESS", "direct"),
        ("AUTH", "ldap"),
        ("METRICS", "yes"),
        ("STATIC_PREFIX", "mlflow/"),
        ("WORKERS", "two"),
    ],
)
def test_bad_value_is_refused_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(TrackingError, match=f"DOCKYARD_TRACKING_{variable} ") as raised:
        read(**{variable: value})
    assert (raised.value.code, raised.value.exit_code) == ("bad-setting", 2)


@pytest.mark.parametrize(
    ("given", "needed"), [({"AUTH": "basic"}, "AUTH_SECRETS"), ({"DATABASE_LOGIN": "iam"}, "DATABASE_TLS_CA")]
)
def test_setting_without_what_it_needs_is_refused(given: dict[str, str], needed: str) -> None:
    with pytest.raises(TrackingError, match=f"DOCKYARD_TRACKING_{needed}"):
        read(**given)
