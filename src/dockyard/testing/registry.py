"""Owns the in-memory model registry and the queue of records, with every write counted. For tests, ours and users'."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockyard.domain.attempt import Attempt, Failure, RegistryEntry, TagWrite
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, NotFoundError, UnavailableError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.record import DeploymentRecord, is_late
from dockyard.domain.reference import LATEST, ModelRef, RefKind
from dockyard.ports import ResolvedModel


@dataclass(kw_only=True)
class MemoryRegistry:
    """ModelRegistry and RegistryWriter in memory. `failures` maps a method's name to the error that it raises.

    `is_reachable = False` is a server that went away: every method raises `tracking-unreachable`.
    """

    name: str = "memory"
    is_reachable: bool = True
    failures: dict[str, DockyardError] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    _models: list[ResolvedModel] = field(default_factory=list)
    _by_text: dict[str, ResolvedModel] = field(default_factory=dict)
    _aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    _stages: dict[tuple[str, str], str] = field(default_factory=dict)
    _records: dict[tuple[str, str, str], DeploymentRecord] = field(default_factory=dict)
    _attempts: dict[str, Attempt] = field(default_factory=dict)

    def add_model(self, model: ResolvedModel, *texts: str) -> None:
        """Put a model in: under its name and version, and under each of `texts`, for references of other forms."""
        self._models.append(model)
        self._by_text |= dict.fromkeys(texts, model)

    def set_stage(self, name: str, stage: str, version: str) -> None:
        """Put a version into a stage."""
        self._stages[name, stage] = version

    def resolve_model(self, ref: ModelRef) -> ResolvedModel:
        """Find a model that was put in."""
        self._enter("resolve_model")
        if ref.text in self._by_text:
            return self._by_text[ref.text]
        versions = {
            int(one.version.identity.version or 0): one for one in self._models if one.version.identity.name == ref.name
        }
        if ref.name is None or not versions:
            raise NotFoundError("model-not-found", f"there is no model `{ref}`")
        number = self._choose_version(ref, max(versions))
        if number not in versions:
            raise NotFoundError("model-not-found", f"registered model `{ref.name}` has no version {number}")
        found = versions[number]
        aliases = tuple(sorted(alias for (name, alias), to in self._aliases.items() if (name, to) == (ref.name, str(number))))
        return dataclasses.replace(found, version=dataclasses.replace(found.version, aliases=aliases))

    def forget_records(self) -> None:
        """Lose every record, as somebody who deletes tags does."""
        self._records.clear()

    def find_record(self, key: DeploymentKey, model: ModelIdentity) -> DeploymentRecord | None:
        """The record that was written last."""
        self._enter("find_record")
        return self._records.get((model.name or model.digest, model.version or "", key.tag))

    def find_alias(self, name: str, alias: str) -> str | None:
        """Where an alias points."""
        self._enter("find_alias")
        return self._aliases.get((name, alias))

    def list_attempts(self, key: DeploymentKey, limit: int) -> tuple[Attempt, ...]:
        """The attempts that were written, newest first, without plan and outcomes, as a registry has them."""
        self._enter("list_attempts")
        found = [dataclasses.replace(one, plan=None, outcomes=()) for one in self._attempts.values() if one.key == key]
        return tuple(sorted(found, key=lambda one: one.started, reverse=True)[: max(limit, 0)])

    def write_entry(self, entry: RegistryEntry) -> str | None:
        """Keep attempt and records; a second time changes nothing."""
        self._enter("write_entry")
        attempt = entry.attempt
        if attempt.id not in self._attempts:
            run_id = f"run-{len(self._attempts) + 1}"
            self.writes.append(f"run {attempt.key} {attempt.status.value}")
            self._attempts[attempt.id] = dataclasses.replace(attempt, run_id=run_id)
        run_id = self._attempts[attempt.id].run_id or ""
        for tag in entry.tags:
            self._write_tag(dataclasses.replace(tag, record=dataclasses.replace(tag.record, run_id=run_id)))
        return run_id

    def write_tags(self, tags: tuple[TagWrite, ...]) -> None:
        """Keep records."""
        self._enter("write_tags")
        for tag in tags:
            self._write_tag(tag)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version that is there."""
        self._enter("set_alias")
        if not any((one.version.identity.name, one.version.identity.version) == (name, version) for one in self._models):
            raise NotFoundError("model-not-found", f"registered model `{name}` has no version {version}")
        self.writes.append(f"alias {name}@{alias} -> {version}")
        self._aliases[name, alias] = version

    @property
    def attempts(self) -> Mapping[str, Attempt]:
        """Whole attempts by id, with plan and outcomes, in the order they were written."""
        return dict(self._attempts)

    def _choose_version(self, ref: ModelRef, newest: int) -> int:
        if ref.kind is RefKind.ALIAS:
            if (ref.name, ref.alias) not in self._aliases:
                raise NotFoundError("alias-not-found", f"registered model `{ref.name}` has no alias `{ref.alias}`")
            return int(self._aliases[ref.name or "", ref.alias or ""])
        if ref.kind is RefKind.STAGE:
            return int(self._stages.get((ref.name or "", ref.version or ""), 0))
        return newest if ref.version in {None, LATEST} else int(ref.version or 0)

    def _write_tag(self, tag: TagWrite) -> None:
        place, record = (tag.name, tag.version, tag.key), tag.record
        there = self._records.get(place)
        if there != record and not is_late(record, there):
            self.writes.append(f"tag {tag.name} {tag.version} {tag.key} {record.status.value}")
            self._records[place] = record

    def _enter(self, method: str) -> None:
        if not self.is_reachable:
            raise UnavailableError("tracking-unreachable", f"the registry `{self.name}` does not answer")
        if method in self.failures:
            raise self.failures[method]


@dataclass(kw_only=True)
class MemoryQueue:
    """EntryQueue in memory."""

    damaged: list[Failure] = field(default_factory=list)
    _entries: dict[str, RegistryEntry] = field(default_factory=dict)

    def put_entry(self, entry: RegistryEntry) -> None:
        """Keep an entry."""
        self._entries[entry.attempt.id] = entry

    def list_entries(self) -> tuple[RegistryEntry, ...]:
        """All entries, oldest first."""
        return tuple(sorted(self._entries.values(), key=lambda entry: (entry.attempt.started, entry.attempt.id)))

    def list_damaged(self) -> tuple[Failure, ...]:
        """Those that were put there."""
        return tuple(self.damaged)

    def delete_entry(self, attempt_id: str) -> None:
        """Forget an entry."""
        self._entries.pop(attempt_id, None)
