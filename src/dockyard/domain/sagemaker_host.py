"""Owns endpoints that host inference components: what one serves, and what its configuration is called.

The configuration belongs to the instances and to no revision: two revisions with the same instances have one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from typing_extensions import override

from dockyard.domain.deployment import RevisionStatus
from dockyard.domain.observed import DeploymentState
from dockyard.domain.sagemaker import (
    Endpoint,
    EndpointStatus,
    Instances,
    SageMakerPolicy,
    SageMakerSettings,
    derive_revision_name,
)
from dockyard.domain.sagemaker_component import ComponentStatus, InferenceComponent

_NO_HOST = frozenset({EndpointStatus.CREATING, EndpointStatus.FAILED, EndpointStatus.DELETING, EndpointStatus.OUT_OF_SERVICE})


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEndpoint(Endpoint):
    """An endpoint whose configuration names no model: what its component points to is what it serves."""

    component: InferenceComponent | None = None
    """The deployment's one component, which is called as the endpoint."""

    @property
    @override
    def serving_config(self) -> str | None:
        """Name of the revision that answers requests; None where none does."""
        is_up = self.status not in _NO_HOST
        return self.component.serving_model if self.component and is_up else None

    @property
    @override
    def used(self) -> frozenset[str]:
        """Names of the configurations and of the revision that it is at or on its way to, as far as they are to be seen."""
        model = self.component.model if self.component else None
        return frozenset(filter(None, (self.config, self.pending_config, model)))

    @override
    def uses(self, name: str) -> bool:
        """Whether it is at that, or may be on its way to it: where a component goes, the service does not show."""
        return name in self.used or (self.component is not None and self.component.status is ComponentStatus.UPDATING)

    @property
    @override
    def state(self) -> DeploymentState:
        """How it is to those who use it."""
        if self.status in _NO_HOST or self.component is None:
            return DeploymentState.STARTING if self.status is EndpointStatus.CREATING else DeploymentState.DOWN
        return _STATES.get(self.component.status, DeploymentState.DOWN)

    @override
    def describe_revision(self, name: str) -> RevisionStatus:
        """What its component makes of the revision of that name."""
        if self.component is None or name != self.component.model:
            return RevisionStatus.STOPPED
        return _REVISION_STATES.get(self.component.status, RevisionStatus.READY)


_STATES = {
    ComponentStatus.IN_SERVICE: DeploymentState.SERVING,
    ComponentStatus.UPDATING: DeploymentState.UPDATING,
    ComponentStatus.CREATING: DeploymentState.STARTING,
}
_REVISION_STATES = {
    ComponentStatus.CREATING: RevisionStatus.STARTING,
    ComponentStatus.FAILED: RevisionStatus.FAILED,
    ComponentStatus.DELETING: RevisionStatus.STOPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The instances that copies run on."""

    role: str
    instances: Instances
    least: int
    """The fewest instances: none, where copies may be scaled down to none."""
    most: int
    network: tuple[tuple[str, ...], ...]
    network_isolation: bool
    kms_key: str | None
    tags: tuple[tuple[str, str], ...]


def make_host(settings: SageMakerSettings, policy: SageMakerPolicy) -> Host:
    """Return the instances that settings with a component ask for."""
    if settings.component is None or not isinstance(settings.capacity, Instances):
        raise TypeError("only a component on instances has a host")
    count, network = settings.capacity.count, settings.network
    sleeps = policy.scaling is not None and policy.scaling.minimum == 0
    return Host(
        role=settings.role,
        instances=settings.capacity,
        least=0 if sleeps else count,
        most=settings.component.max_instances or count,
        network=(network.subnets, network.security_groups) if network else (),
        network_isolation=settings.network_isolation,
        kms_key=settings.kms_key,
        tags=settings.tags,
    )


def derive_host_name(endpoint: str, host: Host) -> str:
    """Return the name of the endpoint configuration of a host: whose it is and what is in it decide it."""
    return derive_revision_name(endpoint, f"host/{dataclasses.astuple(host)!r}")
