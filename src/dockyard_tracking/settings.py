"""Settings of the tracking server, read from environment variables once, at start.

Owns names, defaults and checks. Reads nothing but the mapping it is given: secrets stay in their files until they are used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from dockyard_tracking.errors import TrackingError

PREFIX = "DOCKYARD_TRACKING_"
Dialect = Literal["mysql", "postgresql", "sqlite"]
Login = Literal["password", "iam"]
ArtifactAccess = Literal["proxied", "presigned"]
Auth = Literal["none", "basic"]
_DIALECTS: tuple[Dialect, ...] = ("mysql", "postgresql", "sqlite")
_LOGINS: tuple[Login, ...] = ("password", "iam")
_ACCESSES: tuple[ArtifactAccess, ...] = ("proxied", "presigned")
_AUTHS: tuple[Auth, ...] = ("none", "basic")
_PORTS: Mapping[str, int] = {"mysql": 3306, "postgresql": 5432, "sqlite": 0}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Where the backend store is. With `sqlite` the name is the path of its file, and nothing else counts."""

    dialect: Dialect = "mysql"
    host: str = ""
    port: int = 3306
    name: str = "mlflow"
    user: str = "mlflow"
    login: Login = "password"
    """`iam`: a token of RDS for each connection, made from the AWS credentials of this process; needs TLS."""
    password_file: Path | None = None
    tls_ca: Path | None = None
    """Certificates that the server's must come from. Without it the connection is as the driver makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Where backups are kept, which of them, and how they are sealed."""

    place: str = ""
    """A folder, or `s3://bucket/prefix`."""
    keep: int = 14
    """So many good ones at most."""
    days: int | None = None
    """None that is older, but for the newest good one."""
    key_file: Path | None = None
    """A file with 32 bytes in base64, which everything is sealed with before it leaves this process."""
    kms_key: str = ""
    """The id of a key of KMS, which S3 encrypts with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set here. Variables of MLflow's own (`MLFLOW_…`) count too, and are left alone."""

    database: Database
    artifacts: str = ""
    """Where the server keeps artifacts, such as `s3://bucket/prefix`."""
    artifact_access: ArtifactAccess = "proxied"
    """`proxied`: every byte goes through the server. `presigned`: clients are sent to the store, which they must reach."""
    s3_credentials: Path | None = None
    """A folder with `access-key-id` and `secret-access-key`. Without it boto3 looks where it always does."""
    auth: Auth = "none"
    auth_secrets: Path | None = None
    """A folder with `admin-password` and `session-key`, for `basic`."""
    host: str = "0.0.0.0"  # noqa: S104  a container's port is opened or closed from outside it
    port: int = 5000
    workers: int = 1
    static_prefix: str = ""
    metrics: bool = False
    """Whether MLflow's Prometheus exporter answers at /metrics."""
    grace_seconds: int = 25
    """From SIGTERM to the end of the process, at most."""
    wait_seconds: int = 60
    """How long a migration waits for a database that does not answer yet."""
    lock_seconds: int = 600
    """How long a migration waits for another one to end."""
    backup: Backup = Backup()
    tls: Path | None = None
    """A folder with `tls.crt` and `tls.key`: the server then speaks HTTPS only."""
    gc_older_than: str = ""
    """How long something has to be in the trash before `gc` deletes it, such as `30d`."""
    archive_after: str = ""
    """How old a trace has to be before `archive-traces` moves it, such as `30d`."""


class _Reader:
    """Variables by their short names; an empty one counts as unset."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def read(self, name: str, convert: Callable[[str], _T], default: _T) -> _T:
        text = self._environment.get(PREFIX + name, "")
        if not text:
            return default
        try:
            return convert(text)
        except ValueError as error:
            raise TrackingError("bad-setting", f"{PREFIX}{name} must be {error}.") from None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `environment`. Raises TrackingError `bad-setting`, naming the variable."""
    reader = _Reader(environment)
    read = reader.read
    settings = Settings(
        database=_read_database(reader),
        artifacts=read("ARTIFACTS", str, ""),
        artifact_access=read("ARTIFACT_ACCESS", _one_of(_ACCESSES), "proxied"),
        s3_credentials=read("S3_CREDENTIALS", Path, None),
        auth=read("AUTH", _one_of(_AUTHS), "none"),
        auth_secrets=read("AUTH_SECRETS", Path, None),
        host=read("HOST", str, "0.0.0.0"),  # noqa: S104
        port=read("PORT", _positive, 5000),
        workers=read("WORKERS", _positive, 1),
        static_prefix=read("STATIC_PREFIX", _prefix, ""),
        metrics=read("METRICS", _flag, False),
        grace_seconds=read("GRACE_SECONDS", _positive, 25),
        wait_seconds=read("WAIT_SECONDS", _positive, 60),
        lock_seconds=read("LOCK_SECONDS", _positive, 600),
        backup=Backup(
            place=read("BACKUP_PLACE", str, ""),
            keep=read("BACKUP_KEEP", _positive, 14),
            days=read("BACKUP_DAYS", _positive, None),
            key_file=read("BACKUP_KEY_FILE", Path, None),
            kms_key=read("BACKUP_KMS_KEY", str, ""),
        ),
        tls=read("TLS", Path, None),
        gc_older_than=read("GC_OLDER_THAN", _age, ""),
        archive_after=read("ARCHIVE_AFTER", _age, ""),
    )
    if settings.auth == "basic" and settings.auth_secrets is None:
        raise TrackingError("bad-setting", f"{PREFIX}AUTH=basic needs {PREFIX}AUTH_SECRETS.")
    return settings


def _read_database(reader: _Reader) -> Database:
    read = reader.read
    dialect: Dialect = read("DATABASE_DIALECT", _one_of(_DIALECTS), "mysql")
    database = Database(
        dialect=dialect,
        host=read("DATABASE_HOST", str, ""),
        port=read("DATABASE_PORT", _positive, _PORTS[dialect]),
        name=read("DATABASE_NAME", str, "mlflow"),
        user=read("DATABASE_USER", str, "mlflow"),
        login=read("DATABASE_LOGIN", _one_of(_LOGINS), "password"),
        password_file=read("DATABASE_PASSWORD_FILE", Path, None),
        tls_ca=read("DATABASE_TLS_CA", Path, None),
    )
    for missing, needed in (
        ("DATABASE_HOST", dialect != "sqlite" and not database.host),
        ("DATABASE_PASSWORD_FILE", dialect != "sqlite" and database.login == "password" and not database.password_file),
        ("DATABASE_TLS_CA", database.login == "iam" and not database.tls_ca),
    ):
        if needed:
            raise TrackingError("bad-setting", f"{PREFIX}{missing} is not set.")
    return database


def _one_of(choices: tuple[_T, ...]) -> Callable[[str], _T]:
    def convert(text: str) -> _T:
        for choice in choices:
            if choice == text:
                return choice
        raise ValueError(" or ".join(map(str, choices)))

    return convert


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("a whole number above 0")
    return int(text)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("true or false")
    return text == "true"


def _age(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]*[dhms]", text):
        raise ValueError("a time such as 30d, 12h, 90m or 5s")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", text):
        raise ValueError("a path such as /mlflow, without a slash at its end")
    return text
