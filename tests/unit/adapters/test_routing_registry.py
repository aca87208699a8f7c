"""Which registry a model belongs to, and that MLflow is not opened for a folder's sake."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.routing_registry import RoutingRegistry, WritableRegistry
from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus, RegistryEntry, TagWrite
from dockyard.domain.errors import DockyardError, UnavailableError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.record import DeploymentRecord, RecordStatus
from dockyard.domain.reference import parse_model_ref
from dockyard.testing.registry import MemoryRegistry
from support.any_bench import make_resolved
from support.local_values import KEY, make_model

FOLDER = make_model(9, name=None)


def make_record(attempt_id: str) -> DeploymentRecord:
    return DeploymentRecord(
        status=RecordStatus.SERVING,
        revision=1,
        image=None,
        endpoint=None,
        traffic_percent=100,
        settings_hash="",
        git_revision=None,
        actor="ann",
        time="2026-01-01T00:00:00+00:00",
        attempt_id=attempt_id,
    )


def make_entry(name: str, model: ModelIdentity, *tagged: ModelIdentity) -> RegistryEntry:
    attempt = Attempt(
        id=name,
        key=KEY,
        kind=AttemptKind.DEPLOY,
        status=AttemptStatus.SUCCEEDED,
        actor="ann",
        started=f"2026-01-01T00:00:0{len(name)}+00:00",
        model=model,
    )
    tags = tuple(
        TagWrite(
            name=one.name or one.digest, version=one.version or "", key=KEY.tag, record=make_record(name), registry=one.registry
        )
        for one in tagged
    )
    return RegistryEntry(attempt=attempt, tags=tags, registry=model.registry)


@pytest.fixture
def folders() -> MemoryRegistry:
    return MemoryRegistry(name="folders")


@pytest.fixture
def mlflow() -> MemoryRegistry:
    registry = MemoryRegistry(name="mlflow")
    registry.add_model(make_resolved(1))
    return registry


def route(folders: MemoryRegistry, mlflow: MemoryRegistry) -> RoutingRegistry:
    return RoutingRegistry(folders, lambda: mlflow)


def test_names_are_mlflows_unless_there_is_a_model_folder_of_that_name(
    folders: MemoryRegistry, mlflow: MemoryRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders.add_model(make_resolved(9, name=None), "wine", "./wine")
    registry = route(folders, mlflow)
    assert registry.resolve_model(parse_model_ref("wine")).version.identity.version == "1"
    assert registry.resolve_model(parse_model_ref("./wine")).version.identity == FOLDER
    Path("wine").mkdir()
    Path("wine", "MLmodel").touch()
    assert registry.resolve_model(parse_model_ref("wine")).version.identity == FOLDER


def test_mlflow_is_not_opened_for_a_folder(folders: MemoryRegistry) -> None:
    def open_mlflow() -> WritableRegistry:
        raise AssertionError("MLflow was opened")

    folders.add_model(make_resolved(9, name=None), "./wine")
    registry = RoutingRegistry(folders, open_mlflow)
    registry.resolve_model(parse_model_ref("./wine"))
    registry.write_entry(make_entry("a", FOLDER, FOLDER))
    assert registry.find_record(KEY, FOLDER) is not None


def test_each_tag_is_written_where_its_model_belongs(folders: MemoryRegistry, mlflow: MemoryRegistry) -> None:
    registry = route(folders, mlflow)
    registry.write_entry(make_entry("a", make_model(1), make_model(1), FOLDER))
    assert [write.split()[0] for write in mlflow.writes] == ["run", "tag"]
    assert [write.split()[0] for write in folders.writes] == ["tag"]
    assert registry.find_record(KEY, FOLDER) == make_record("a")
    assert registry.find_record(KEY, make_model(1)) is not None


def test_history_is_that_of_both(folders: MemoryRegistry, mlflow: MemoryRegistry) -> None:
    registry = route(folders, mlflow)
    registry.write_entry(make_entry("a", FOLDER))
    registry.write_entry(make_entry("bb", make_model(1)))
    assert [attempt.id for attempt in registry.list_attempts(KEY, 5)] == ["bb", "a"]
    assert [attempt.id for attempt in registry.list_attempts(KEY, 1)] == ["bb"]


def test_history_of_folders_is_told_when_mlflow_is_away(folders: MemoryRegistry, mlflow: MemoryRegistry) -> None:
    registry = route(folders, mlflow)
    mlflow.failures["list_attempts"] = UnavailableError("tracking-unreachable", "gone")
    with pytest.raises(DockyardError):
        registry.list_attempts(KEY, 5)
    registry.write_entry(make_entry("a", FOLDER))
    assert [attempt.id for attempt in registry.list_attempts(KEY, 5)] == ["a"]


def test_aliases_are_mlflows(folders: MemoryRegistry, mlflow: MemoryRegistry) -> None:
    registry = route(folders, mlflow)
    registry.set_alias("wine", "prod", "1")
    assert registry.find_alias("wine", "prod") == "1"
