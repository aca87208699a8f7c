"""A folder as a model: a snapshot that later changes do not touch, and records beside the config fit to be committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.folder_registry import FolderRegistry
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, NotFoundError, UsageError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.reference import parse_model_ref
from support.attempts import SECRET, make_attempt, make_entry
from support.model_folder import MLMODEL, write_model_folder

KEY = DeploymentKey(environment="prod", name="wine")


@pytest.fixture
def registry(tmp_path: Path) -> FolderRegistry:
    """Records in `project`, snapshots in `cache`."""
    return FolderRegistry(tmp_path / "project", tmp_path / "cache")


def resolve(registry: FolderRegistry, folder: Path | str) -> ModelIdentity:
    """Resolve a folder."""
    return registry.resolve_model(parse_model_ref(str(folder))).version.identity


def test_snapshot_is_not_changed_by_what_happens_to_the_folder(registry: FolderRegistry, tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "wine", content="first")
    first = registry.resolve_model(parse_model_ref(str(folder)))
    (folder / "model.skops").write_text("second")
    second = registry.resolve_model(parse_model_ref(str(folder)))
    assert (first.folder / "model.skops").read_text() == "first"
    assert (second.folder / "model.skops").read_text() == "second"
    assert first.version.identity.digest != second.version.identity.digest


def test_identity_has_no_registry_and_no_path_of_this_machine(registry: FolderRegistry, tmp_path: Path) -> None:
    identity = resolve(registry, write_model_folder(tmp_path / "wine"))
    assert (identity.source, identity.name, identity.version, identity.registry) == ("wine", None, None, None)


def test_folder_without_slash_in_its_name_is_found_where_the_command_was_called(
    registry: FolderRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = resolve(registry, write_model_folder(tmp_path / "wine")).digest
    monkeypatch.chdir(tmp_path)
    assert resolve(registry, "wine").digest == digest
    assert resolve(registry, "./wine/").digest == digest
    assert resolve(registry, "wine/../wine").source == "wine"


def test_home_is_expanded(registry: FolderRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model_folder(tmp_path / "wine")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve(registry, "~/wine").source == "wine"


def test_missing_folder_is_not_found(registry: FolderRegistry, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve(registry, tmp_path / "nothing")
    assert caught.value.code == "model-not-found"
    assert caught.value.hint


def test_folder_without_mlmodel_is_refused_before_anything_is_copied(registry: FolderRegistry, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(UsageError) as caught:
        resolve(registry, tmp_path / "data")
    assert caught.value.code == "model-invalid"
    assert caught.value.hint
    assert not (tmp_path / "cache").exists()


def test_model_that_cannot_be_served_is_refused_before_anything_is_copied(registry: FolderRegistry, tmp_path: Path) -> None:
    write_model_folder(tmp_path / "wine", mlmodel=MLMODEL.replace("python_function", "something_else"))
    with pytest.raises(UsageError) as caught:
        resolve(registry, tmp_path / "wine")
    assert caught.value.code == "model-without-pyfunc"
    assert not (tmp_path / "cache").exists()


def test_records_lie_beside_the_config_without_secrets(registry: FolderRegistry, tmp_path: Path) -> None:
    model = resolve(registry, write_model_folder(tmp_path / "wine"))
    registry.write_entry(make_entry(make_attempt(KEY, model)))
    text = (tmp_path / "project" / ".dockyard" / "records" / "prod.wine.json").read_text()
    assert SECRET not in text
    assert str(tmp_path) not in text


def test_writing_what_is_there_already_does_not_touch_the_file(registry: FolderRegistry, tmp_path: Path) -> None:
    entry = make_entry(make_attempt(KEY, resolve(registry, write_model_folder(tmp_path / "wine"))))
    registry.write_entry(entry)
    path = tmp_path / "project" / ".dockyard" / "records" / "prod.wine.json"
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    registry.write_entry(entry)
    registry.write_tags(entry.tags)
    assert path.stat().st_mtime_ns == before


def test_newest_fifty_attempts_are_kept(registry: FolderRegistry, tmp_path: Path) -> None:
    model = resolve(registry, write_model_folder(tmp_path / "wine"))
    for number in range(1, 53):
        registry.write_entry(make_entry(make_attempt(KEY, model, number=number)))
    assert [one.revision for one in registry.list_attempts(KEY, 100)] == list(range(52, 2, -1))


def test_folder_has_no_alias_and_cannot_get_one(registry: FolderRegistry) -> None:
    assert registry.find_alias("wine", "prod") is None
    with pytest.raises(UsageError) as caught:
        registry.set_alias("wine", "prod", "1")
    assert caught.value.code == "usage"


def test_damaged_records_are_told_by_name_and_not_overwritten(registry: FolderRegistry, tmp_path: Path) -> None:
    path = tmp_path / "project" / ".dockyard" / "records" / "prod.wine.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    model = resolve(registry, write_model_folder(tmp_path / "wine"))
    with pytest.raises(DockyardError) as caught:
        registry.write_entry(make_entry(make_attempt(KEY, model)))
    assert caught.value.code == "state-corrupt"
    assert str(path) in caught.value.message
    assert path.read_text() == "{"


@pytest.mark.parametrize("obstacle", ["project", "project/.dockyard/records/.prod.wine.json.new/in the way"])
def test_records_that_cannot_be_read_or_written_are_told(tmp_path: Path, obstacle: str) -> None:
    (tmp_path / obstacle).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / obstacle).write_text("a file where a folder should be, or the other way round")
    registry = FolderRegistry(tmp_path / "project", tmp_path / "cache")
    entry = make_entry(make_attempt(KEY, resolve(registry, write_model_folder(tmp_path / "wine"))))
    with pytest.raises(DockyardError) as caught:
        registry.write_tags(entry.tags)
    assert caught.value.code == "records-unusable"
