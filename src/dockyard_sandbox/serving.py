"""What the data plane sees of an endpoint: variants, weights, and the containers that take requests at this moment.

Owns the view. Must not change endpoints: `endpoints` does, and answers with a fresh view each time it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.runner import Container


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A container that takes requests. During a rollout those of the old and of the new fleet share a variant's traffic."""

    container: Container
    share: float
    """Of its variant's traffic; all targets of a variant add up to 1."""
    config_name: str
    instance: str
    """The name of its log stream: `<variant>/<instance id>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingVariant:
    """A variant as it serves now. `definition` is its ProductionVariant in the endpoint configuration."""

    name: str
    weight: float
    targets: tuple[Target, ...]
    definition: Fields

    @property
    def serverless(self) -> Fields | None:
        """Its ServerlessConfig."""
        return self.definition.child("ServerlessConfig") if "ServerlessConfig" in self.definition else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingComponent:
    """An inference component; `targets` are its copies."""

    name: str
    variant_name: str
    status: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingEndpoint:
    """An endpoint as it serves now. `config` is what its endpoint configuration was made with."""

    name: str
    arn: str
    region: str
    status: str
    config_name: str
    config: Fields
    variants: tuple[ServingVariant, ...]
    shadows: tuple[ServingVariant, ...] = ()
    components: tuple[ServingComponent, ...] = field(default=())

    @property
    def serves(self) -> bool:
        """Whether it takes requests: InService, and while it is being updated or rolled back."""
        return self.status in {"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}

    @property
    def log_group(self) -> str:
        """Its group in CloudWatch Logs."""
        return f"/aws/sagemaker/Endpoints/{self.name}"


class Serving(Protocol):
    """Where the data plane looks endpoints up."""

    def find_serving(self, region: str, name: str) -> ServingEndpoint | None:
        """The endpoint of this name, whatever its status."""
        ...
