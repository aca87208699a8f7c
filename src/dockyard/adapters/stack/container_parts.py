"""Owns what each container of a local stack is told: image, command, variables, volumes, rights. Must not contact an engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dockyard.domain.stack import StackWish

MYSQL, S3, SERVER = "mysql", "s3", "server"
MYSQL_IMAGE, S3_IMAGE = "mysql:9", "versity/versitygw:v1.8.0"
"""Those of the chart."""
HOST = "127.0.0.1"
_DATABASE = "/run/dockyard/database"
_KEYS = "/run/dockyard/s3"
_ROOT = "/run/dockyard/root"
# As in the chart: the server takes its key from variables only, and a bucket is a folder.
_S3_SCRIPT = f"""
mkdir -p /data/models /data/backups
ROOT_ACCESS_KEY=$(cat {_KEYS}/access-key-id) ROOT_SECRET_KEY=$(cat {_KEYS}/secret-access-key)
export ROOT_ACCESS_KEY ROOT_SECRET_KEY
exec versitygw --port :7070 --health /health posix /data
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One container."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    user: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Where each volume of the stack is mounted, by the last word of its name."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Where each folder of secrets is mounted, by its name."""
    scratch: tuple[str, ...] = ("/tmp",)  # noqa: S108 - in a container whose root is read-only
    port: tuple[str, int] | None = None
    """The one within, and the one of this machine's loopback."""
    grace_seconds: int = 10

    @property
    def spec_hash(self) -> str:
        """Differs once a container of this part has to be made anew."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


SECRETS: Mapping[str, tuple[str, ...]] = {
    "database": ("password",),
    "root": ("root-password",),
    "s3": ("access-key-id", "secret-access-key"),
}
"""Files in folders. One that is there already stays, so a person may put their own there first."""
DATA, BACKUPS = ("mysql", "s3"), "backups"
"""The volumes."""


def describe_stores() -> tuple[Part, Part]:
    """MySQL, and S3 with a bucket for artifacts and one for backups, which is a volume of its own."""
    mysql = Part(
        name=MYSQL,
        image=MYSQL_IMAGE,
        # MLflow's migrations make triggers, which a binary log otherwise refuses to ordinary users.
        command=("--log-bin-trust-function-creators=1", "--mysqlx=OFF"),
        user="mysql",
        variables={
            "MYSQL_DATABASE": "mlflow",
            "MYSQL_USER": "mlflow",
            "MYSQL_PASSWORD_FILE": f"{_DATABASE}/password",
            "MYSQL_ROOT_PASSWORD_FILE": f"{_ROOT}/root-password",
        },
        volumes={"mysql": "/var/lib/mysql"},
        secrets={"database": _DATABASE, "root": _ROOT},
        scratch=("/tmp", "/var/run/mysqld"),  # noqa: S108
        grace_seconds=60,
    )
    s3 = Part(
        name=S3,
        image=S3_IMAGE,
        entrypoint=("sh", "-euc", _S3_SCRIPT),
        volumes={"s3": "/data", BACKUPS: "/data/backups"},
        secrets={"s3": _KEYS},
    )
    return mysql, s3


def describe_server(wish: StackWish) -> Part:
    """The tracking server, with the settings that its commands have too."""
    said = {
        "DATABASE_HOST": MYSQL,
        "DATABASE_PASSWORD_FILE": f"{_DATABASE}/password",
        "ARTIFACTS": "s3://models/mlflow",
        "S3_CREDENTIALS": _KEYS,
        "BACKUP_PLACE": "s3://backups/mlflow",
        "WAIT_SECONDS": "180",  # MySQL's first start
    }
    outer = {"MLFLOW_S3_ENDPOINT_URL": f"http://{S3}:7070", "AWS_DEFAULT_REGION": "us-east-1"}
    return Part(
        name=SERVER,
        image=wish.image or "",
        variables={f"DOCKYARD_TRACKING_{name}": value for name, value in said.items()} | outer,
        secrets={"database": _DATABASE, "s3": _KEYS},
        port=("5000/tcp", wish.port),
        grace_seconds=30,
    )


def mount(part: Part, prefix: str, secrets: Path) -> dict[str, dict[str, str]]:
    """The `volumes` of docker's own client."""
    volumes = {f"{prefix}-{name}": {"bind": place, "mode": "rw"} for name, place in part.volumes.items()}
    folders = {str(secrets / name): {"bind": place, "mode": "ro"} for name, place in part.secrets.items()}
    return volumes | folders
