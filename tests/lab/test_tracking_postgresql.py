"""The tracking server on PostgreSQL, as on MySQL: refusals before anything is made, one migration at a time, a whole restore.

The server has basic auth here: users and what they may do are in the same database, and in its backups.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest
import requests
from docker.models.containers import Container
from docker.models.networks import Network

from dockyard.domain.image import ImageDigest
from support.lab_servers import POSTGRES_IMAGE, wait_until
from support.ports import reserve_port

pytestmark = pytest.mark.lab

PASSWORD = """a b'"%#@:/?\\&"""  # not a secret: what is hard to quote
ADMIN, READER, WRITER = ("admin", "admin-of-a-test"), ("reader", "reader-of-a-test"), ("writer", "writer-of-a-test")


@dataclass(kw_only=True)
class Pair:
    """A PostgreSQL server, and containers of the tracking server's image beside it."""

    engine: docker.DockerClient
    network: Network
    image: str
    state: Path
    port: int = field(default_factory=reserve_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask_database(self, statement: str) -> str:
        """What the superuser is told."""
        database = self.engine.containers.get(f"{self.network.name}-postgres")
        code, said = database.exec_run(["psql", "-qAtU", "postgres", "-v", "ON_ERROR_STOP=1", "-c", statement, "mlflow"])
        assert isinstance(said, bytes)
        assert code == 0, said
        return said.decode().strip()

    def create(self, *command: str) -> Container:
        """A container of the image, which has not begun."""
        settings = {
            "DATABASE_DIALECT": "postgresql",
            "DATABASE_HOST": "postgres",
            "DATABASE_PASSWORD_FILE": "/state/password",
            "AUTH": "basic",
            "AUTH_SECRETS": "/state/auth",
            "ARTIFACTS": "/state/artifacts",
            "BACKUP_PLACE": "/state/backups",
        }
        return self.engine.containers.create(
            self.image,
            list(command),
            environment={f"DOCKYARD_TRACKING_{name}": value for name, value in settings.items()},
            network=self.network.name,
            ports={"5000/tcp": ("127.0.0.1", self.port)} if command == ("serve",) else {},
            user=0,  # whose the folder of this test is
            volumes={str(self.state): {"bind": "/state", "mode": "rw"}},
            read_only=True,
            tmpfs={"/tmp": "rw"},  # noqa: S108 - in the container
        )

    def run(self, *command: str) -> tuple[int, str, str]:
        """A command's exit code, answer and log."""
        container = self.create(*command)
        try:
            container.start()
            code = int(container.wait(timeout=300)["StatusCode"])
            return code, container.logs(stderr=False).decode(), container.logs(stdout=False).decode()
        finally:
            container.remove(force=True)

    def ask(self, path: str, user: tuple[str, str], body: Mapping[str, object] | None = None) -> requests.Response:
        """A request of a user's."""
        method = "GET" if body is None else "POST"
        return requests.request(method, f"{self.url}/api/{path}", json=body, auth=user, timeout=30)


@pytest.fixture(name="pair", scope="module")
def postgresql_and_image(
    lab_engine: str, tracking_image: ImageDigest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    state = tmp_path_factory.mktemp("pair")
    (state / "auth").mkdir()
    for name, content in (("password", PASSWORD), ("auth/admin-password", ADMIN[1]), ("auth/session-key", "of-a-test")):
        (state / name).write_text(content)
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(contextlib.closing(docker.DockerClient(base_url=lab_engine, timeout=300)))
        network = engine.networks.create(f"dockyard-tests-{state.name}-{reserve_port()}")
        stack.callback(network.remove)
        database = engine.containers.run(
            POSTGRES_IMAGE,
            ["-c", "fsync=off"],
            name=f"{network.name}-postgres",
            environment={"POSTGRES_PASSWORD": "root-of-a-test", "POSTGRES_DB": "mlflow"},
            tmpfs={"/var/lib/postgresql/data": "rw"},
            network=network.name,
            networking_config={str(network.name): engine.api.create_endpoint_config(aliases=["postgres"])},
            detach=True,
        )
        stack.callback(lambda: database.remove(force=True, v=True))
        is_ready = ["pg_isready", "-qh", "127.0.0.1"]
        wait_until(lambda: database.exec_run(is_ready).exit_code == 0, "PostgreSQL", database.logs)
        pair = Pair(engine=engine, network=network, image=str(tracking_image), state=state)
        quoted = PASSWORD.replace("'", "''")
        pair.ask_database(f"CREATE ROLE mlflow LOGIN PASSWORD '{quoted}'")
        yield pair


def test_missing_privilege_is_named_before_any_table_is_made(pair: Pair) -> None:
    code, _, said = pair.run("migrate")
    assert (code, "privilege-missing" in said) == (13, True), said
    assert PASSWORD not in said
    assert pair.ask_database("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "0"


def test_of_two_migrations_at_once_one_waits_and_finds_nothing_to_do(pair: Pair) -> None:
    pair.ask_database("ALTER DATABASE mlflow OWNER TO mlflow")
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _number: pair.run("migrate"), range(2)))
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert sorted("nothing to do" in said for _, _, said in ended) == [False, True]


def test_restored_stack_knows_its_users_and_what_they_may_do(pair: Pair) -> None:
    server = pair.create("serve")
    try:
        server.start()
        wait_until(lambda: is_ready(pair), "the server", server.logs)
        experiment = log_something(pair)
        before = describe(pair, experiment)

        code, answer, said = pair.run("backup")
        assert code == 0, said
        assert json.loads(answer)["revisions"].keys() == {"tracking", "auth"}
        pair.ask_database("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION mlflow")
        for file in (pair.state / "artifacts").rglob("*.txt"):
            file.unlink()
        wait_until(lambda: not is_ready(pair), "the server's notice", server.logs)
        code, _, said = pair.run("restore")
        assert code == 0, said
        wait_until(lambda: is_ready(pair), "the server", server.logs)

        assert describe(pair, experiment) == before
        made = pair.ask("2.0/mlflow/experiments/create", ADMIN, {"name": "after"})
        assert (made.status_code, made.json()["experiment_id"]) == (200, str(int(experiment) + 1))
    finally:
        server.remove(force=True)


def is_ready(pair: Pair) -> bool:
    try:
        return requests.get(f"{pair.url}/ready", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def log_something(pair: Pair) -> str:
    """Two users, an experiment that one of them may edit, and a run with an artifact in it. Returns the experiment's id."""
    for name, password in (READER, WRITER):
        assert pair.ask("2.0/mlflow/users/create", ADMIN, {"username": name, "password": password}).status_code == 200
    made = pair.ask("2.0/mlflow/experiments/create", ADMIN, {"name": "wine", "tags": [{"key": "größe", "value": "1"}]})
    experiment = str(made.json()["experiment_id"])
    grant = {"username": WRITER[0], "resource_type": "experiment", "resource_id": experiment, "permission": "EDIT"}
    granted = pair.ask("3.0/mlflow/users/permissions/grant", ADMIN, grant)
    assert granted.status_code == 200, granted.text
    sent = requests.put(
        f"{pair.url}/api/2.0/mlflow-artifacts/artifacts/{experiment}/model.txt", data=b"weights", auth=ADMIN, timeout=30
    )
    assert sent.status_code == 200, sent.text
    return experiment


def describe(pair: Pair, experiment: str) -> dict[str, object]:
    """What users are told and may do, and what was logged."""
    run: dict[str, object] = {"experiment_id": experiment}
    artifact = f"2.0/mlflow-artifacts/artifacts/{experiment}/model.txt"
    found = pair.ask(f"2.0/mlflow/experiments/get?experiment_id={experiment}", READER)
    seen = {
        "experiment": found.json()["experiment"],
        "artifact": pair.ask(artifact, ADMIN).text,
        "wrong password": pair.ask("2.0/mlflow/users/current", (READER[0], "another")).status_code,
        "reader writes": pair.ask("2.0/mlflow/runs/create", READER, run).status_code,
        "writer writes": pair.ask("2.0/mlflow/runs/create", WRITER, run).status_code,
    }
    assert [seen[name] for name in ("wrong password", "reader writes", "writer writes")] == [401, 403, 200]
    return seen
