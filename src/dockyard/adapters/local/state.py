"""Owns what is remembered of a deployment: its port and its revisions, as they were meant to be.

What is alive is never read from here. A change is a new value, written whole.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dockyard.adapters.codec import decode, encode
from dockyard.adapters.files import write_file
from dockyard.domain.deployment import DeploymentKey, LocalSpec
from dockyard.domain.image import ImageDigest


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionEntry:
    """One revision."""

    number: int
    spec: LocalSpec
    image: ImageDigest
    created: str
    has_served: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentState:
    """One deployment."""

    key: DeploymentKey
    port: int | None = None
    next_number: int = 1
    revisions: tuple[RevisionEntry, ...] = ()
    """Sorted by number."""
    schema: Literal[1] = 1

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing left to remember."""
        return self.port is None and not self.revisions

    def find(self, number: int) -> RevisionEntry | None:
        """The revision of that number."""
        return next((entry for entry in self.revisions if entry.number == number), None)

    def with_revision(self, entry: RevisionEntry) -> DeploymentState:
        """The state with a revision added or replaced."""
        others = [one for one in self.revisions if one.number != entry.number]
        revisions = tuple(sorted((*others, entry), key=lambda one: one.number))
        return dataclasses.replace(self, revisions=revisions, next_number=max(self.next_number, entry.number + 1))

    def without_revision(self, number: int) -> DeploymentState:
        """The state without a revision; its number is not given again."""
        return dataclasses.replace(self, revisions=tuple(one for one in self.revisions if one.number != number))

    def with_port(self, port: int | None) -> DeploymentState:
        """The state with another port."""
        return dataclasses.replace(self, port=port)


def read_state(path: Path, key: DeploymentKey) -> DeploymentState:
    """What is remembered of a deployment; an empty state where there is nothing. Raises `state-corrupt`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return DeploymentState(key=key)
    return decode(DeploymentState, content, what=f"the state of {key} in {path}")


def write_state(path: Path, state: DeploymentState) -> None:
    """Remember it."""
    write_file(path, encode(state))
