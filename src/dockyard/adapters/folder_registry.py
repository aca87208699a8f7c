"""Owns models that are folders: snapshots of their files, and records and history in a file beside the config.

One file for each deployment, fit to be committed: it holds no environment values. Must not know MLflow.
"""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.codec import decode, encode
from dockyard.adapters.files import write_file
from dockyard.adapters.model_cache import CachedModel, ModelCache
from dockyard.adapters.model_files import digest_folder, list_files, read_facts
from dockyard.adapters.model_version import describe_version
from dockyard.domain.attempt import Attempt, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, NotFoundError, UsageError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.record import DeploymentRecord, is_late
from dockyard.domain.reference import ModelRef
from dockyard.ports import ResolvedModel

_MOST = 50
"""How many attempts and records a file holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRecord:
    """The record of a deployment on a model that is known by its digest."""

    digest: str
    record: DeploymentRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRecords:
    """One deployment's file: newest first."""

    records: tuple[FolderRecord, ...] = ()
    attempts: tuple[Attempt, ...] = ()


class FolderRegistry:
    """The registry of models that are in none.

    `records_dir` is the folder of the config file, `cache` the one for snapshots; neither need exist.
    """

    def __init__(self, records_dir: Path, cache: Path) -> None:
        self._folder = records_dir / ".dockyard" / "records"
        self._cache = ModelCache(cache / "models")

    def resolve_model(self, ref: ModelRef) -> ResolvedModel:
        """Take a snapshot of a folder: what happens to the folder later does not change the model version."""
        folder = Path(ref.path or ref.text).expanduser()
        what = f"`{ref}`"
        if not folder.is_dir():
            hint = "a registered model is given without slashes, as `name`, or as models:/name/3"
            raise NotFoundError("model-not-found", f"there is no folder {what}", hint=hint)
        read_facts(folder, what)  # before anything is copied
        cached = self._keep(folder, what)
        return describe_version(cached, ModelIdentity(digest=cached.digest, source=folder.resolve().name), what)

    def find_record(self, key: DeploymentKey, model: ModelIdentity) -> DeploymentRecord | None:
        """The record of a deployment on a model of that digest."""
        return next((one.record for one in self._read(key).records if one.digest == model.digest), None)

    def find_alias(self, name: str, alias: str) -> str | None:  # noqa: ARG002
        """A folder has no aliases."""
        return None

    def list_attempts(self, key: DeploymentKey, limit: int) -> tuple[Attempt, ...]:
        """The newest attempts of a deployment, newest first."""
        return self._read(key).attempts[: max(limit, 0)]

    def write_entry(self, entry: RegistryEntry) -> str | None:
        """Write attempt and records in one go. There is no run, so there is no run's id."""
        attempt = dataclasses.replace(entry.attempt, plan=None)
        found = self._read(attempt.key)
        others = [one for one in found.attempts if one.id != attempt.id]
        attempts = sorted([attempt, *others], key=lambda one: one.started, reverse=True)[:_MOST]
        self._write(attempt.key, found, dataclasses.replace(_merge(found, entry.tags), attempts=tuple(attempts)))
        return None

    def write_tags(self, tags: tuple[TagWrite, ...]) -> None:
        """Write records for an attempt whose history is elsewhere. The tags' key says which deployment's they are."""
        for key in {tag.key: _parse_key(tag.key) for tag in tags}.values():
            found = self._read(key)
            self._write(key, found, _merge(found, tuple(tag for tag in tags if tag.key == key.tag)))

    def set_alias(self, name: str, alias: str, version: str) -> None:  # noqa: ARG002
        """A folder has no registry to have aliases in."""
        hint = "register the model in MLflow to promote it, or leave `--promote` out"
        raise UsageError("usage", f"`{name}` is a folder, which has no alias to point at a version", hint=hint)

    def _keep(self, folder: Path, what: str) -> CachedModel:
        files = list_files(folder, what)

        def copy(target: Path) -> Path:
            for name in files:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, target / name)
            return target

        return self._cache.find_digest(digest_folder(folder, files)) or self._cache.add_model(copy, what)

    def _read(self, key: DeploymentKey) -> FolderRecords:
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return FolderRecords()
        except OSError as error:
            raise _unusable(path, error) from error
        return decode(FolderRecords, content, what=f"`{path}`")

    def _write(self, key: DeploymentKey, before: FolderRecords, after: FolderRecords) -> None:
        if before == after:
            return
        try:
            write_file(self._path(key), encode(after))
        except OSError as error:
            raise _unusable(self._path(key), error) from error

    def _path(self, key: DeploymentKey) -> Path:
        # Names hold no dots, so no two keys meet in one file name.
        return self._folder / f"{key.environment}.{key.name}.json"


def _unusable(path: Path, error: OSError) -> DockyardError:
    hint = "may you read and write there, and is there room?"
    return DockyardError("records-unusable", f"the records in `{path}` cannot be used: {error.strerror}", hint=hint)


def _merge(found: FolderRecords, tags: tuple[TagWrite, ...]) -> FolderRecords:
    records = {one.digest: one.record for one in found.records}
    for tag in tags:
        if not is_late(tag.record, records.get(tag.name)):
            records = {tag.name: tag.record, **{digest: record for digest, record in records.items() if digest != tag.name}}
    kept = tuple(FolderRecord(digest=digest, record=record) for digest, record in records.items())[:_MOST]
    return dataclasses.replace(found, records=kept)


def _parse_key(tag: str) -> DeploymentKey:
    _, environment, name = tag.split(".")
    return DeploymentKey(environment=environment, name=name)
