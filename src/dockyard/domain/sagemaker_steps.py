"""Owns the steps of plans for SageMaker; see `dockyard.domain.plan` for what steps are.

Everything is named by its content or by its deployment, so each step can be done again after a crash or a lost answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from dockyard.domain.image import Fingerprint
from dockyard.domain.phase import Phase
from dockyard.domain.sagemaker import AlarmPolicy, Rollout, RolloutKind, SageMakerSpec, Scaling
from dockyard.domain.sagemaker_package import PackagePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRepository:
    """Make the repository that the deployment's images go to."""

    phase: ClassVar[Phase] = Phase.PREPARE
    name: str
    type: Literal["CreateRepository"] = "CreateRepository"

    def describe(self) -> str:
        return f"create the image repository {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole:
    """Make an execution role that may do what this deployment needs, and nothing else."""

    phase: ClassVar[Phase] = Phase.PREPARE
    name: str
    spec: SageMakerSpec
    type: Literal["CreateRole"] = "CreateRole"

    def describe(self) -> str:
        return f"create the execution role {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushImage:
    """Send the image of a fingerprint to the deployment's repository."""

    phase: ClassVar[Phase] = Phase.PREPARE
    fingerprint: Fingerprint
    repository: str
    """Its name; where it is, its registry says."""
    type: Literal["PushImage"] = "PushImage"

    def describe(self) -> str:
        return f"push the image to {self.repository}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadModel:
    """Send the model's files to S3."""

    phase: ClassVar[Phase] = Phase.PREPARE
    name: str
    """The revision's, below which they go."""
    spec: SageMakerSpec
    type: Literal["UploadModel"] = "UploadModel"

    def describe(self) -> str:
        return f"upload the model to {self.spec.settings.bucket} ({self.spec.settings.delivery.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModel:
    """Make a revision's model."""

    phase: ClassVar[Phase] = Phase.PREPARE
    number: int
    name: str
    spec: SageMakerSpec
    type: Literal["CreateModel"] = "CreateModel"

    def describe(self) -> str:
        return f"create model {self.name}, revision {self.number} of {self.spec.model.title}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEndpointConfig:
    """Make a revision's endpoint configuration."""

    phase: ClassVar[Phase] = Phase.PREPARE
    number: int
    name: str
    spec: SageMakerSpec
    type: Literal["CreateEndpointConfig"] = "CreateEndpointConfig"

    def describe(self) -> str:
        return f"create endpoint configuration {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateShadowConfig:
    """Make an endpoint configuration that has a revision in the shadow of the one that serves."""

    phase: ClassVar[Phase] = Phase.PREPARE
    name: str
    production: str
    """Name of the revision that answers."""
    production_spec: SageMakerSpec
    shadow: str
    shadow_spec: SageMakerSpec
    percent: int
    """The share of requests that are copied."""
    type: Literal["CreateShadowConfig"] = "CreateShadowConfig"

    def describe(self) -> str:
        return f"create endpoint configuration {self.name}: {self.shadow} gets copies of {self.percent} % of the requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteShadowConfig:
    """Delete such a configuration. Its revisions stay."""

    phase: ClassVar[Phase] = Phase.SETTLE
    name: str
    type: Literal["DeleteShadowConfig"] = "DeleteShadowConfig"

    def describe(self) -> str:
        return f"delete endpoint configuration {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAlarms:
    """Make or change the endpoint's alarms; `policy` None takes them away."""

    phase: ClassVar[Phase] = Phase.PREPARE
    endpoint: str
    policy: AlarmPolicy | None
    previous: AlarmPolicy | None
    of_component: bool = False
    """Whether they watch the inference component, and not a variant with a model."""
    type: Literal["PutAlarms"] = "PutAlarms"

    def describe(self) -> str:
        return f"{'set' if self.policy else 'delete'} the alarms of endpoint {self.endpoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitSettled:
    """Wait until an endpoint that is changing takes changes again."""

    phase: ClassVar[Phase] = Phase.PREPARE
    endpoint: str
    status: str
    """What it is doing."""
    timeout_seconds: int
    type: Literal["WaitSettled"] = "WaitSettled"

    def describe(self) -> str:
        return f"wait until endpoint {self.endpoint} is no longer {self.status}, at most {self.timeout_seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceEndpoint:
    """Delete an endpoint of ours that failed and takes no other change; it serves nothing."""

    phase: ClassVar[Phase] = Phase.PREPARE
    endpoint: str
    timeout_seconds: int
    type: Literal["ReplaceEndpoint"] = "ReplaceEndpoint"

    def describe(self) -> str:
        return f"delete endpoint {self.endpoint}, which failed to be created"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEndpoint:
    """Make the endpoint with a revision."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    config: str
    number: int
    is_host: bool = False
    """Whether it has instances only, and the revision is to come as an inference component."""
    type: Literal["CreateEndpoint"] = "CreateEndpoint"

    def describe(self) -> str:
        if self.is_host:
            return f"create endpoint {self.endpoint} for an inference component"
        return f"create endpoint {self.endpoint} with revision {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateEndpoint:
    """Have the endpoint roll out a revision."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    config: str
    number: int
    previous_config: str
    """What it is to go back to."""
    rollout: Rollout
    alarms: AlarmPolicy | None
    keeps_counts: bool
    """Whether instance counts that autoscaling chose are kept."""
    is_host: bool = False
    """Whether it gets other instances, and the inference component stays."""
    type: Literal["UpdateEndpoint"] = "UpdateEndpoint"

    def describe(self) -> str:
        if self.rollout.kind is RolloutKind.SHADOW:
            return f"update endpoint {self.endpoint}: revision {self.number} gets copies of requests, and answers none"
        if self.is_host:
            return f"update endpoint {self.endpoint} to the instances of {self.config}"
        share = "" if self.rollout.kind is RolloutKind.ALL_AT_ONCE else f", {self.rollout.step_percent} %"
        return f"update endpoint {self.endpoint} to revision {self.number} ({self.rollout.kind.value}{share})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitInService:
    """Wait until the endpoint serves the revision, and look that it really does."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    config: str
    number: int
    timeout_seconds: int
    in_shadow: bool = False
    """Whether the revision is to get copies of requests only."""
    is_host: bool = False
    """Whether its instances are waited for, and the revision is to come as an inference component."""
    type: Literal["WaitInService"] = "WaitInService"

    def describe(self) -> str:
        if self.is_host:
            return f"wait until endpoint {self.endpoint} has its instances, at most {self.timeout_seconds} s"
        if self.in_shadow:
            until = f"has revision {self.number} in its shadow"
            return f"wait until endpoint {self.endpoint} {until}, at most {self.timeout_seconds} s"
        return f"wait until endpoint {self.endpoint} serves revision {self.number}, at most {self.timeout_seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkServed:
    """Note on a revision that it has served, so that it can be gone back to."""

    phase: ClassVar[Phase] = Phase.SETTLE
    number: int
    name: str
    on_model: bool = False
    """Whether the revision has no configuration of its own, so that its model says so."""
    type: Literal["MarkServed"] = "MarkServed"

    def describe(self) -> str:
        return f"note that revision {self.number} serves"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPackage:
    """Make the version in a model package group that stands for a revision, and the group where there is none."""

    phase: ClassVar[Phase] = Phase.SETTLE
    number: int
    name: str
    spec: SageMakerSpec
    package: PackagePolicy
    type: Literal["RegisterPackage"] = "RegisterPackage"

    def describe(self) -> str:
        return f"register revision {self.number} in model package group {self.package.group} ({self.package.approval.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutScaling:
    """Make or change the endpoint's autoscaling; `scaling` None takes it away."""

    phase: ClassVar[Phase] = Phase.SETTLE
    endpoint: str
    scaling: Scaling | None
    of_component: bool = False
    """Whether the copies of the inference component are scaled."""
    type: Literal["PutScaling"] = "PutScaling"

    def describe(self) -> str:
        if self.scaling is None:
            return f"stop scaling endpoint {self.endpoint}"
        what = "copies" if self.of_component else "instances"
        return f"scale endpoint {self.endpoint} between {self.scaling.minimum} and {self.scaling.maximum} {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteEndpoint:
    """Take the endpoint away, and wait until it is gone."""

    phase: ClassVar[Phase] = Phase.COMMIT
    endpoint: str
    timeout_seconds: int
    type: Literal["DeleteEndpoint"] = "DeleteEndpoint"

    def describe(self) -> str:
        return f"delete endpoint {self.endpoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSupplies:
    """Delete what was made for a deployment and is no revision: its role, its alarms, its repository with all images."""

    phase: ClassVar[Phase] = Phase.SETTLE
    endpoint: str
    repository: str | None
    role: str | None
    has_alarms: bool
    type: Literal["DeleteSupplies"] = "DeleteSupplies"

    def describe(self) -> str:
        names = [name for name in (self.repository, self.role, "its alarms" if self.has_alarms else None) if name]
        return f"delete {' and '.join(names)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRevision:
    """Delete a revision's package, endpoint configuration, model, model data, and its image where nothing else runs it."""

    phase: ClassVar[Phase] = Phase.SETTLE
    number: int
    name: str
    reason: str
    type: Literal["DeleteRevision"] = "DeleteRevision"

    def describe(self) -> str:
        return f"delete revision {self.number}, {self.name} ({self.reason})"


SageMakerStep = (
    CreateRepository
    | CreateRole
    | PushImage
    | UploadModel
    | CreateModel
    | CreateEndpointConfig
    | CreateShadowConfig
    | DeleteShadowConfig
    | PutAlarms
    | WaitSettled
    | ReplaceEndpoint
    | CreateEndpoint
    | UpdateEndpoint
    | WaitInService
    | MarkServed
    | RegisterPackage
    | PutScaling
    | DeleteEndpoint
    | DeleteRevision
    | DeleteSupplies
)
