"""What an endpoint is at a moment: its status, the fleet that serves, the fleet that is coming.

Owns the records and what can be read off them. Must not start or stop anything: `endpoint_runs`
does, and replaces records whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.runner import Container

IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedImage:
    """An image as the model names it, and as it was resolved when its containers were made."""

    specified: str
    resolved: str
    resolved_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """A container that serves, and the name of its log stream."""

    container: Container
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A variant: what the configuration says, and how it is now. `activity` is a VariantStatus, with when it began."""

    name: str
    definition: Fields
    desired_weight: float
    desired_count: int
    weight: float = 0.0
    count: int = 0
    images: tuple[DeployedImage, ...] = ()
    replicas: tuple[Replica, ...] = ()
    activity: tuple[str, float] | None = None

    @property
    def serverless(self) -> Fields | None:
        """Its ServerlessConfig."""
        return self.definition.child("ServerlessConfig") if "ServerlessConfig" in self.definition else None

    @property
    def model_name(self) -> str:
        """Its model; empty where inference components bring the models."""
        return self.definition.text("ModelName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """An endpoint configuration with its containers. `config` is what it was made with, kept though it be deleted."""

    config_name: str
    config: Fields
    variants: tuple[Variant, ...]
    shadows: tuple[Variant, ...] = ()

    @property
    def all_variants(self) -> tuple[Variant, ...]:
        """Production and shadow variants."""
        return self.variants + self.shadows

    def find(self, name: str) -> Variant | None:
        """The variant of this name."""
        return next((variant for variant in self.all_variants if variant.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint. `shift` is the share of the traffic that goes to `pending`."""

    name: str
    arn: str
    region: str
    status: str
    live: Deployed
    created: float
    modified: float
    failure_reason: str = ""
    pending: Deployed | None = None
    pending_since: float = 0.0
    shift: float = 0.0
    last_deployment: Fields | None = None
    visible_from: float = 0.0

    @property
    def in_progress(self) -> bool:
        """Whether nobody may change it now."""
        return self.status in IN_PROGRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """An inference component: a model on an endpoint whose variant has none of its own."""

    name: str
    arn: str
    endpoint_name: str
    variant_name: str
    status: str
    specification: Fields
    desired_copies: int
    created: float
    modified: float
    copies: int = 0
    failure_reason: str = ""
    images: tuple[DeployedImage, ...] = ()
    replicas: tuple[Replica, ...] = ()
    last_deployment: Fields | None = field(default=None)
    visible_from: float = 0.0

    @property
    def in_progress(self) -> bool:
        """Whether nobody may change it now."""
        return self.status in IN_PROGRESS
