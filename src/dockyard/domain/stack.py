"""Owns what a tracking stack is: where it runs, what was wished for it, how it is. Must not contact anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dockyard.domain.deployment import Runtime

LOCAL_PORT = 5050


class StackKind(str, Enum):
    """Where a tracking stack runs."""

    LOCAL = "local"
    """On this machine: containers with MySQL and S3, or a server under supervision with SQLite and folders."""
    K8S = "k8s"
    """In a cluster, by the chart; its database and S3 may be elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackWish:
    """How a stack is to be. It is kept beside the stack, so that later commands need its name only."""

    name: str
    kind: StackKind
    port: int = 0
    """Of a local one; in a wish that is new 0 leaves it as it is."""
    runtime: Runtime = Runtime.PROCESS
    """Of a local one. What is kept of a stack is never AUTO."""
    context: str | None = None
    namespace: str | None = None
    chart: str = ""
    """Folder or address of the chart."""
    values: tuple[str, ...] = ()
    """Files of values for the chart, the last one counts most."""
    image: str | None = None
    """Repository and digest, or repository and tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackLook:
    """How a stack is now."""

    is_up: bool
    is_ready: bool
    url: str | None = None
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """What MLflow's clients need. None of it is a secret."""
