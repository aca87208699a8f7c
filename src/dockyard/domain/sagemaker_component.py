"""Owns what an inference component is: what a model is given of its endpoint's instances, and how the service shows that.

Must not know endpoints: `sagemaker_host` does.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InferenceComponentSpecification.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What each copy of a model is given, and how many there are; the instances are there for the copies."""

    memory_mb: int
    """The least memory of a copy."""
    cpus: float | None = None
    """Processor cores of a copy; None: it has none of its own."""
    accelerators: int | None = None
    """GPUs or Neuron devices of a copy."""
    copies: int = 1
    """How many there are at first; autoscaling may change that."""
    max_instances: int | None = None
    """The most instances that copies may take; None: as many as there are at least."""

    def describe(self) -> str:
        """What it is, in a few words."""
        return f"{self.copies} x {self.memory_mb} MB"


class ComponentStatus(str, Enum):
    """The statuses of the service's own."""

    IN_SERVICE = "InService"
    CREATING = "Creating"
    UPDATING = "Updating"
    FAILED = "Failed"
    DELETING = "Deleting"

    @property
    def is_moving(self) -> bool:
        """Whether it changes by itself, and takes no change until then."""
        return self in {ComponentStatus.CREATING, ComponentStatus.UPDATING, ComponentStatus.DELETING}


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceComponent:
    """An inference component as the service describes it."""

    name: str
    status: ComponentStatus
    model: str
    """Name of the model that its copies run: while it is updated, the one before."""
    images: tuple[str, ...] = ()
    """What they run, as `repository@sha256:…`."""
    copies: int = 0
    """How many there are to be; none, where it is scaled down to nothing."""
    failure_reason: str = ""

    @property
    def serving_model(self) -> str | None:
        """Name of the model that answers requests, or would if there were a copy; None where none does."""
        return self.model if self.status in {ComponentStatus.IN_SERVICE, ComponentStatus.UPDATING} else None
