"""Owns the steps of plans for inference components; see `dockyard.domain.plan` for what steps are.

A component is called as its endpoint, and there is one of a deployment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from dockyard.domain.phase import Phase
from dockyard.domain.sagemaker import AlarmPolicy, Rollout, SageMakerSpec
from dockyard.domain.sagemaker_host import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateHostConfig:
    """Make an endpoint configuration that has instances and no model."""

    phase: ClassVar[Phase] = Phase.PREPARE
    name: str
    host: Host
    type: Literal["CreateHostConfig"] = "CreateHostConfig"

    def describe(self) -> str:
        low, high = self.host.least, self.host.most
        count = str(low) if low == high else f"{low} to {high}"
        return f"create endpoint configuration {self.name}: {count} x {self.host.instances.instance_type} without a model"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteHostConfig:
    """Delete such a configuration, which no endpoint has any more."""

    phase: ClassVar[Phase] = Phase.SETTLE
    name: str
    type: Literal["DeleteHostConfig"] = "DeleteHostConfig"

    def describe(self) -> str:
        return f"delete endpoint configuration {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateComponent:
    """Make the inference component with a revision."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    model: str
    number: int
    spec: SageMakerSpec
    type: Literal["CreateComponent"] = "CreateComponent"

    def describe(self) -> str:
        return f"create inference component {self.endpoint} with revision {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateComponent:
    """Have the inference component replace its copies by those of a revision."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    model: str
    number: int
    spec: SageMakerSpec
    previous: str
    """Name of the model that it is to go back to."""
    previous_spec: SageMakerSpec
    copies: int
    """How many there are to be."""
    rollout: Rollout
    alarms: AlarmPolicy | None
    type: Literal["UpdateComponent"] = "UpdateComponent"

    def describe(self) -> str:
        return f"update inference component {self.endpoint} to revision {self.number} ({self.rollout.kind.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitComponentSettled:
    """Wait until a component that is changing takes changes again."""

    phase: ClassVar[Phase] = Phase.PREPARE
    endpoint: str
    status: str
    """What it is doing."""
    timeout_seconds: int
    type: Literal["WaitComponentSettled"] = "WaitComponentSettled"

    def describe(self) -> str:
        what = f"inference component {self.endpoint} is no longer {self.status}"
        return f"wait until {what}, at most {self.timeout_seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitComponent:
    """Wait until the component serves the revision, and look that it really does."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    model: str
    number: int
    timeout_seconds: int
    type: Literal["WaitComponent"] = "WaitComponent"

    def describe(self) -> str:
        what = f"inference component {self.endpoint} serves revision {self.number}"
        return f"wait until {what}, at most {self.timeout_seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteComponent:
    """Take the component away with its scaling, and wait until it is gone."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    timeout_seconds: int
    type: Literal["DeleteComponent"] = "DeleteComponent"

    def describe(self) -> str:
        return f"delete inference component {self.endpoint}"


ComponentStep = (
    CreateHostConfig
    | DeleteHostConfig
    | CreateComponent
    | UpdateComponent
    | WaitComponentSettled
    | WaitComponent
    | DeleteComponent
)
