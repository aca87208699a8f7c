"""Servers that tests start for themselves as containers: MySQL and S3, on a free loopback port, with a password of their own.

Owns their start, the wait until they answer, and their removal by id, with their volumes.
"""

from __future__ import annotations

import contextlib
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.lab_probes import fetch_status

if TYPE_CHECKING:
    import pymysql

MYSQL_IMAGE = "mysql:9"
POSTGRES_IMAGE = "postgres:15"
OBJECT_STORE_IMAGE = "versity/versitygw:latest"
_IN_MEMORY = {MYSQL_IMAGE: "/var/lib/mysql"}
"""Where an image keeps what no test needs on a disk: definitions of tables take a third of their time in memory."""
START_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A MySQL database and who may use it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    name: str

    @property
    def url(self) -> str:
        """For SQLAlchemy and MLflow, with PyMySQL as the driver. It holds the password."""
        password = urllib.parse.quote(self.password, safe="")
        return f"mysql+pymysql://{self.user}:{password}@{self.host}:{self.port}/{self.name}"

    @classmethod
    def parse(cls, url: str) -> Database:
        """From mysql://USER:PASSWORD@HOST[:PORT]/NAME."""
        parts = urllib.parse.urlsplit(url)
        if not (parts.hostname and parts.username and parts.path.strip("/")):
            message = "DOCKYARD_TEST_MYSQL must be mysql://USER:PASSWORD@HOST[:PORT]/NAME"
            raise ValueError(message)
        password = urllib.parse.unquote(parts.password or "")
        user = urllib.parse.unquote(parts.username)
        return cls(host=parts.hostname, port=parts.port or 3306, user=user, password=password, name=parts.path.strip("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStore:
    """An S3 server and a key that may do everything there."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"

    @classmethod
    def parse(cls, url: str) -> ObjectStore:
        """From http[s]://ACCESS:SECRET@HOST[:PORT], both URL-quoted."""
        parts = urllib.parse.urlsplit(url)
        if not (parts.hostname and parts.username and parts.password):
            message = "DOCKYARD_TEST_S3 must be http[s]://ACCESS:SECRET@HOST[:PORT]"
            raise ValueError(message)
        endpoint = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        access, secret = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password)
        return cls(endpoint=endpoint, access_key=access, secret_key=secret)


def wait_until(answers: Callable[[], bool], what: str, logs: Callable[[], bytes]) -> None:
    """Ask until it answers; AssertionError with the end of the server's log when it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        assert time.monotonic() < deadline, f"{what} did not start:\n{logs().decode(errors='replace')[-2000:]}"
        time.sleep(0.2)


@contextlib.contextmanager
def run_mysql(engine: str, password: str) -> Iterator[Database]:
    """A MySQL server with one empty database. MLflow's migrations make triggers, hence the option."""
    environment = {
        "MYSQL_RANDOM_ROOT_PASSWORD": "1",
        "MYSQL_DATABASE": "dockyard",
        "MYSQL_USER": "dockyard",
        "MYSQL_PASSWORD": password,
    }
    options = ["--log-bin-trust-function-creators=1", "--skip-log-bin", "--mysqlx=OFF"]
    with run_container(engine, MYSQL_IMAGE, options, environment, 3306) as (port, logs):
        database = Database(host="127.0.0.1", port=port, user="dockyard", password=password, name="dockyard")
        wait_until(lambda: mysql_answers(database), "MySQL", logs)
        yield database


def mysql_answers(database: Database) -> bool:
    import pymysql

    try:
        connect_mysql(database).close()
    except pymysql.err.OperationalError:
        return False
    return True


def connect_mysql(database: Database) -> pymysql.connections.Connection[pymysql.cursors.Cursor]:
    import pymysql

    return pymysql.connect(
        host=database.host,
        port=database.port,
        user=database.user,
        password=database.password,
        database=database.name,
        connect_timeout=5,
    )


@contextlib.contextmanager
def run_object_store(engine: str, secret_key: str) -> Iterator[ObjectStore]:
    """An S3 server that keeps its objects in a volume of its container."""
    environment = {
        "ROOT_ACCESS_KEY": "dockyard",
        "ROOT_SECRET_KEY": secret_key,
        "VGW_BACKEND": "posix",
        "VGW_BACKEND_ARG": "/data",
    }
    with run_container(engine, OBJECT_STORE_IMAGE, [], environment, 7070) as (port, logs):
        endpoint = f"http://127.0.0.1:{port}"
        wait_until(lambda: fetch_status(endpoint) == 403, "the S3 server", logs)
        yield ObjectStore(endpoint=endpoint, access_key="dockyard", secret_key=secret_key)


@contextlib.contextmanager
def run_container(
    engine: str, image: str, command: list[str], environment: dict[str, str], port: int
) -> Iterator[tuple[int, Callable[[], bytes]]]:
    """A container that listens on `port`: its port on loopback, and its logs. Removed with its volumes at the end."""
    import docker

    with contextlib.closing(docker.DockerClient(base_url=engine)) as client:
        container = client.containers.run(
            image,
            command,
            environment=environment,
            detach=True,
            ports={f"{port}/tcp": ("127.0.0.1", 0)},
            volumes=["/data"],
            tmpfs={_IN_MEMORY[image]: "rw,mode=1777"} if image in _IN_MEMORY else {},
            labels={"dockyard.test": "lab"},
        )
        try:
            container.reload()
            yield int((container.ports[f"{port}/tcp"] or [])[0]["HostPort"]), container.logs
        finally:
            container.remove(force=True, v=True)
