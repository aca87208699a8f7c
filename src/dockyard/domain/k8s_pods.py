"""Owns what a user may say about which nodes take a deployment's pods, and which labels and annotations are Dockyard's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

OWN_PREFIXES = ("dockyard.io/", "app.kubernetes.io/")
"""Of labels and annotations that nobody else may set."""


class PullPolicy(str, Enum):
    """When a node asks the registry for an image. What it has of it, it does not fetch again."""

    ALWAYS = "Always"
    """At each start, so that nobody gets an image that is not theirs to have."""
    IF_NOT_PRESENT = "IfNotPresent"
    """Where the node does not have it, so that pods start while the registry is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """A taint of nodes that pods put up with; what is None matches all."""

    key: str | None = None
    value: str | None = None
    """None: whatever the taint's value is."""
    effect: str | None = None
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`."""
    seconds: int | None = None
    """How long pods may stay where the effect is `NoExecute`. None: for ever."""

    @property
    def operator(self) -> str:
        """As Kubernetes calls it."""
        return "Exists" if self.value is None else "Equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who may ask a deployment, or be called by it: pods with some labels, of a namespace; or addresses."""

    namespace: str | None = None
    """None: the deployment's own."""
    pods: tuple[tuple[str, str], ...] = ()
    """Labels that they have, sorted by name. None: all pods."""
    cidr: str | None = None
    """Addresses, as `10.0.0.0/8`; then nothing else is said."""
