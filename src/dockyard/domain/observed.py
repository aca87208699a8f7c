"""Owns Observed: read-only snapshots of a target and the registry that plans stand on."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey, Revision
from dockyard.domain.image import BuiltImage
from dockyard.domain.record import DeploymentRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLocal:
    """One local deployment as its host shows it. A deployment that does not exist has no revisions and no port."""

    key: DeploymentKey
    revisions: tuple[Revision, ...] = ()
    """Sorted by number."""
    serving: int | None = None
    """The revision that the route names."""
    serving_since: str | None = None
    """When it got the traffic, ISO 8601 in UTC."""
    port: int | None = None
    """The port that the deployment has, whether or not its forwarder runs."""
    is_forwarding: bool = False
    """Whether the forwarder is alive and listens on `port`."""
    next_number: int = 1
    free_port: int | None = None
    """A port that a new deployment may take."""

    @property
    def exists(self) -> bool:
        """Whether there is anything of this deployment."""
        return self.port is not None or bool(self.revisions)

    def find_revision(self, number: int | None) -> Revision | None:
        """The revision of that number."""
        return next((one for one in self.revisions if one.number == number), None)

    @property
    def serving_revision(self) -> Revision | None:
        """The revision that the route names, if it is still there."""
        return self.find_revision(self.serving)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that a plan for a local deployment stands on."""

    local: ObservedLocal
    image: BuiltImage | None
    """The wanted image, where it is built already."""
    record: DeploymentRecord | None
    """The record of this deployment on the wanted model version."""
    alias_version: str | None
    """The version that the environment's alias points to, for a registered model."""
    taken_at: str
