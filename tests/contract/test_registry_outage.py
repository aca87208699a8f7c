"""A registry that goes away between deploy and record: told within seconds, and written once when it is back."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockyard.adapters.entry_queue import JsonEntryQueue
from dockyard.adapters.mlflow_registry import MlflowRegistry
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import CredentialsError, UnavailableError
from dockyard.domain.reference import parse_model_ref
from support.attempts import make_attempt, make_entry
from support.lab_servers import Database
from support.registry_stages import Stage, stage_mlflow
from support.tracking import TrackingServer

CANARY = "canary-4711"


@contextlib.contextmanager
def told_quickly(within: float) -> Iterator[pytest.ExceptionInfo[UnavailableError]]:
    """Expect `tracking-unreachable` from a block, within seconds."""
    start = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        yield caught
    assert caught.value.code == "tracking-unreachable"
    assert time.monotonic() - start < within


@pytest.mark.process
def test_entry_waits_while_the_registry_is_away_and_is_written_once_when_it_is_back(
    tracking_server: TrackingServer, tmp_path: Path
) -> None:
    stage, queue = stage_mlflow(tracking_server.uri, tmp_path), JsonEntryQueue(tmp_path / "queue")
    entry = make_entry(make_attempt(stage.key, stage.model()))
    with _gone(tracking_server):
        with told_quickly(10):
            stage.registry.write_entry(entry)
        queue.put_entry(entry)
        with told_quickly(10):
            stage.registry.list_attempts(stage.key, 10)
    (waiting,) = JsonEntryQueue(tmp_path / "queue").list_entries()
    run_id = stage.registry.write_entry(waiting)
    queue.delete_entry(waiting.attempt.id)
    assert stage.registry.write_entry(waiting) == run_id
    assert _facts(stage) == (1, run_id)
    assert queue.list_entries() == ()


@pytest.mark.parametrize("method", ["resolve_model", "list_attempts", "find_alias", "set_alias"])
def test_closed_port_is_told_within_seconds_and_without_the_password(method: str, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        registry = MlflowRegistry(f"http://ann:{CANARY}@127.0.0.1:{unused.getsockname()[1]}", None, tmp_path)
        calls: dict[str, Callable[[], object]] = {
            "resolve_model": lambda: registry.resolve_model(parse_model_ref("wine")),
            "list_attempts": lambda: registry.list_attempts(DeploymentKey(environment="prod", name="wine"), 1),
            "find_alias": lambda: registry.find_alias("wine", "prod"),
            "set_alias": lambda: registry.set_alias("wine", "prod", "1"),
        }
        with told_quickly(5) as caught:
            calls[method]()
        assert "Connection refused" in caught.value.message
        assert CANARY not in f"{caught.value!r} {caught.value.hint} {registry.name}"


def test_server_that_accepts_and_never_answers_is_told_within_seconds(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        registry = MlflowRegistry(f"http://127.0.0.1:{silent.getsockname()[1]}", None, tmp_path)
        with told_quickly(10) as caught:
            registry.resolve_model(parse_model_ref("wine"))
        assert "nothing within 5 s" in caught.value.message


def test_host_that_does_not_exist_is_told_as_unknown(tmp_path: Path) -> None:
    registry = MlflowRegistry("http://mlflow.invalid:5000", None, tmp_path)
    with told_quickly(10) as caught:
        registry.resolve_model(parse_model_ref("wine"))
    assert "unknown host" in caught.value.message


def test_database_server_that_is_not_there_is_told_within_seconds(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"mysql+pymysql://ann:{CANARY}@127.0.0.1:{unused.getsockname()[1]}/mlflow"
        registry = MlflowRegistry(uri, None, tmp_path)
        with told_quickly(5) as caught:
            registry.resolve_model(parse_model_ref("wine"))
        assert CANARY not in f"{caught.value!r} {caught.value.hint} {registry.name}"


@pytest.mark.lab
def test_database_that_refuses_the_password_is_told_within_seconds(lab_mysql: Database, tmp_path: Path) -> None:
    # MLflow itself tries a wrong password for nearly two minutes.
    registry = MlflowRegistry(dataclasses.replace(lab_mysql, password=CANARY).url, None, tmp_path)
    start = time.monotonic()
    with pytest.raises(CredentialsError) as caught:
        registry.resolve_model(parse_model_ref("wine"))
    assert time.monotonic() - start < 10
    assert caught.value.code == "credentials-refused"
    assert CANARY not in f"{caught.value!r} {caught.value.hint} {registry.name}"


@contextlib.contextmanager
def _gone(server: TrackingServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def _facts(stage: Stage) -> tuple[int, str | None]:
    record = stage.registry.find_record(stage.key, stage.model())
    return len(stage.registry.list_attempts(stage.key, 10)), record.run_id if record else None
