"""Owns Workbench: the ports and sites that use cases work with, in one piece, as wiring hands them over."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus, RegistryEntry
from dockyard.domain.deployment import DeploymentKey
from dockyard.ports import (
    CacheCleaner,
    Clock,
    EntryQueue,
    ImageCleaner,
    ImageFactory,
    Journal,
    Locks,
    ModelRegistry,
    Progress,
    RegistryWriter,
)
from dockyard.usecases.site import Sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Everything that a use case may touch, and who it acts for."""

    registry: ModelRegistry
    writer: RegistryWriter
    queue: EntryQueue
    images: ImageFactory
    cleaner: ImageCleaner
    caches: CacheCleaner
    sites: Sites
    journal: Journal
    locks: Locks
    clock: Clock
    progress: Progress
    actor: str
    """Who does it, as `user@host`."""
    git_revision: str | None
    """The commit that the command was called in."""

    def begin_attempt(self, key: DeploymentKey, kind: AttemptKind) -> Attempt:
        """Return a fresh attempt; nothing is saved yet."""
        return Attempt(
            id=self.clock.fresh_id(),
            key=key,
            kind=kind,
            status=AttemptStatus.RUNNING,
            actor=self.actor,
            started=self.now(),
            git_revision=self.git_revision,
        )

    def now(self) -> str:
        """The time, ISO 8601 in UTC."""
        return self.clock.now().isoformat()

    def close_interrupted(self, key: DeploymentKey, *, deployment: DeploymentKey | None = None) -> None:
        """Queue the history of an attempt whose process was killed. Called with the lock held, so nobody runs it any more.

        `deployment` is the one that it is told of, where it is journalled as something else.
        """
        attempt = self.journal.find_attempt(key)
        if attempt is None or attempt.status is not AttemptStatus.RUNNING:
            return
        closed = dataclasses.replace(attempt, status=AttemptStatus.INTERRUPTED, finished=self.now())
        told = dataclasses.replace(closed, key=deployment or key)
        self.queue.put_entry(RegistryEntry(attempt=told, registry=told.model.registry if told.model else None))
        self.journal.save_attempt(closed)
