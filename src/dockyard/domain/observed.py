"""Owns Observed: read-only snapshots of a target and the registry that plans stand on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from dockyard.domain.deployment import DeploymentKey, LocalRevision, Revision, RevisionStatus, endpoint_url
from dockyard.domain.image import BuiltImage
from dockyard.domain.record import DeploymentRecord


class DeploymentState(str, Enum):
    """How a deployment is at the moment it is looked at."""

    SERVING = "serving"
    STARTING = "starting"
    UPDATING = "updating"
    """A revision serves and another is on its way."""
    DOWN = "down"
    """It should serve and does not: its revision or its forwarder is not running."""
    EMPTY = "empty"
    """No revision of it has served yet."""


def describe_state(serving: Revision | None) -> DeploymentState:
    """How a deployment is whose traffic goes to that revision."""
    if serving is None:
        return DeploymentState.EMPTY
    known = {RevisionStatus.READY: DeploymentState.SERVING, RevisionStatus.STARTING: DeploymentState.STARTING}
    return known.get(serving.status, DeploymentState.DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedDeployment:
    """One deployment as its target shows it. Each target has its own kind."""

    key: DeploymentKey
    revisions: tuple[Revision, ...] = ()
    """Sorted by number."""
    serving: int | None = None
    """The revision that traffic goes to."""
    serving_since: str | None = None
    """When it got the traffic, ISO 8601 in UTC."""
    next_number: int = 1

    @property
    def exists(self) -> bool:
        """Whether there is anything of this deployment."""
        return bool(self.revisions)

    @property
    def endpoint_name(self) -> str | None:
        """What clients use: a URL, or on SageMaker the endpoint's name."""
        return None

    @property
    def state(self) -> DeploymentState:
        """How it is."""
        return describe_state(self.serving_revision)

    @property
    def capacity(self) -> str | None:
        """What it runs on, in a few words."""
        return None

    @property
    def trial_number(self) -> int | None:
        """The revision that stands beside the serving one until somebody says go on, or take it away."""
        return None

    @property
    def all_revisions(self) -> tuple[Revision, ...]:
        """Those that stand beside for a while as well."""
        return self.revisions

    def find_revision(self, number: int | None) -> Revision | None:
        """The revision of that number."""
        return next((one for one in self.revisions if one.number == number), None)

    @property
    def serving_revision(self) -> Revision | None:
        """The revision that traffic goes to, if it is still there."""
        return self.find_revision(self.serving)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLocal(ObservedDeployment):
    """One local deployment as its host shows it. A deployment that does not exist has no revisions and no port."""

    revisions: tuple[LocalRevision, ...] = ()
    port: int | None = None
    """The port that the deployment has, whether or not its forwarder runs."""
    is_forwarding: bool = False
    """Whether the forwarder is alive and listens on `port`."""
    free_port: int | None = None
    """A port that a new deployment may take."""

    @property
    def exists(self) -> bool:
        """Whether there is anything of this deployment."""
        return self.port is not None or bool(self.revisions)

    @property
    def endpoint_name(self) -> str | None:
        """The URL of its port."""
        return endpoint_url(self.port) if self.port is not None else None

    @property
    def state(self) -> DeploymentState:
        """How it is: without a forwarder nobody reaches it."""
        state = describe_state(self.serving_revision)
        return DeploymentState.DOWN if state is DeploymentState.SERVING and not self.is_forwarding else state

    @property
    def capacity(self) -> str | None:
        """The runtime of the revision that serves."""
        return self.serving_revision.spec.settings.runtime.value if self.serving_revision else None

    def find_revision(self, number: int | None) -> LocalRevision | None:
        """The revision of that number."""
        return next((one for one in self.revisions if one.number == number), None)

    @property
    def serving_revision(self) -> LocalRevision | None:
        """The revision that the route names, if it is still there."""
        return self.find_revision(self.serving)


D_co = TypeVar("D_co", bound=ObservedDeployment, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Generic[D_co]):
    """All that a plan for a deployment stands on."""

    deployment: D_co
    image: BuiltImage | None
    """The wanted image, where it is in the local store already."""
    record: DeploymentRecord | None
    """The record of this deployment on the wanted model version."""
    alias_version: str | None
    """The version that the environment's alias points to, for a registered model."""
    taken_at: str
