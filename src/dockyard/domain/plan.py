"""Owns Plan, Step and Outcome: what to do as typed data, and how each step went.

A step names what it works on by fingerprint, digest or number, never by the result of an earlier step, so that any step
can be run again after a crash. Its phase says what its failure means. The steps that only SageMaker or Kubernetes has are in
`dockyard.domain.sagemaker_steps` and `dockyard.domain.k8s_steps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Literal

from dockyard.domain.deployment import DeploymentKey, LocalSpec
from dockyard.domain.image import BuilderKind, Fingerprint
from dockyard.domain.k8s_steps import K8sStep
from dockyard.domain.phase import Phase
from dockyard.domain.record import RecordStatus
from dockyard.domain.sagemaker_batch_steps import BatchStep
from dockyard.domain.sagemaker_component_steps import ComponentStep
from dockyard.domain.sagemaker_steps import SageMakerStep


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildImage:
    """Make the image of a fingerprint, and record its answer to the model's input example."""

    phase: ClassVar[Phase] = Phase.PREPARE
    fingerprint: Fingerprint
    builder: BuilderKind
    reason: str
    type: Literal["BuildImage"] = "BuildImage"

    def describe(self) -> str:
        return f"build the image with the {self.builder.value} builder ({self.reason})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRevision:
    """Start a revision beside the one that serves, without traffic."""

    phase: ClassVar[Phase] = Phase.PREPARE
    number: int
    spec: LocalSpec
    is_new: bool
    """Whether this plan makes the revision: undoing then removes it, and stops it otherwise."""
    type: Literal["StartRevision"] = "StartRevision"

    def describe(self) -> str:
        again = "" if self.is_new else " again"
        return f"start revision {self.number} of {self.spec.model.title}{again} ({self.spec.settings.runtime.value} runtime)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitReady:
    """Wait until the revision says that it is ready, which means that it has proved itself."""

    phase: ClassVar[Phase] = Phase.PREPARE
    number: int
    timeout_seconds: int
    type: Literal["WaitReady"] = "WaitReady"

    def describe(self) -> str:
        return f"wait until revision {self.number} is ready, at most {self.timeout_seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest:
    """Send the model's input example and compare the answer with the one at build time."""

    phase: ClassVar[Phase] = Phase.PREPARE
    number: int
    fingerprint: Fingerprint
    requests: int
    type: Literal["SmokeTest"] = "SmokeTest"

    def describe(self) -> str:
        return f"smoke-test revision {self.number} with the model's input example, {self.requests} requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTraffic:
    """Send all traffic of the port to a revision; `number` None closes the port."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int | None
    previous: int | None
    port: int
    previous_port: int | None = None
    type: Literal["ShiftTraffic"] = "ShiftTraffic"

    def describe(self) -> str:
        if self.number is None:
            return f"close port {self.port}"
        if self.previous_port not in {None, self.port}:
            return self._describe_move()
        if self.previous == self.number:
            return f"send the traffic of port {self.port} to revision {self.number} again"
        origin = f" from revision {self.previous}" if self.previous is not None else ""
        return f"send the traffic of port {self.port} to revision {self.number}{origin}"

    def _describe_move(self) -> str:
        if self.previous == self.number:
            return f"move revision {self.number} from port {self.previous_port} to port {self.port}"
        return f"open port {self.port} for revision {self.number}, and close port {self.previous_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRevision:
    """Drain a revision and stop it; it can be started again."""

    phase: ClassVar[Phase] = Phase.SETTLE
    number: int
    type: Literal["StopRevision"] = "StopRevision"

    def describe(self) -> str:
        return f"drain and stop revision {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRevision:
    """Forget a revision with all that is only its own; one that runs is stopped."""

    phase: ClassVar[Phase] = Phase.SETTLE
    number: int
    reason: str
    type: Literal["RemoveRevision"] = "RemoveRevision"

    def describe(self) -> str:
        return f"remove revision {self.number} ({self.reason})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDeployment:
    """Forget a deployment, with everything on this machine that is only its own."""

    phase: ClassVar[Phase] = Phase.SETTLE
    key: DeploymentKey
    type: Literal["RemoveDeployment"] = "RemoveDeployment"

    def describe(self) -> str:
        return f"remove deployment {self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAlias:
    """Point the environment's alias at the deployed model version."""

    phase: ClassVar[Phase] = Phase.SETTLE
    name: str
    alias: str
    version: str
    type: Literal["SetAlias"] = "SetAlias"

    def describe(self) -> str:
        return f"point alias {self.name}@{self.alias} at version {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRecord:
    """Write the deployment's record and the history run to the registry."""

    phase: ClassVar[Phase] = Phase.SETTLE
    key: DeploymentKey
    status: RecordStatus
    number: int | None
    type: Literal["WriteRecord"] = "WriteRecord"

    def describe(self) -> str:
        return f"write the record `{self.key.tag}`: {self.status.value}"


Step = (
    BuildImage
    | StartRevision
    | WaitReady
    | SmokeTest
    | ShiftTraffic
    | StopRevision
    | RemoveRevision
    | RemoveDeployment
    | SetAlias
    | WriteRecord
    | SageMakerStep
    | ComponentStep
    | BatchStep
    | K8sStep
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between what is and what is wanted."""

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in order, the differences that they remove, and the moment of the Observed they stand on."""

    key: DeploymentKey
    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    observed_at: str
    revision: int | None
    """The revision that serves afterwards."""
    previous: int | None
    """The revision that serves before."""
    endpoint: str | None
    """What clients use: a URL, or on SageMaker the endpoint's name."""
    notes: tuple[str, ...] = ()
    """What else is worth knowing before it is done: what it costs, what it leaves alone."""

    @property
    def is_shadow(self) -> bool:
        """Whether the revision is to get copies of requests only."""
        return any(isinstance(step, WriteRecord) and step.status is RecordStatus.SHADOW for step in self.steps)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not self.steps


class OutcomeStatus(str, Enum):
    """How a step ended."""

    DONE = "done"
    SKIPPED = "skipped"
    """It found nothing to do; the facts tell the reason. What is done already is not in the plan at all."""
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one step went."""

    step: str
    """The step's type."""
    description: str
    status: OutcomeStatus
    seconds: float
    error_code: str | None = None
    error: str | None = None
    facts: tuple[tuple[str, str | int | float | tuple[float, ...]], ...] = ()
    """What the step found out: digests, sizes, latencies in seconds."""
