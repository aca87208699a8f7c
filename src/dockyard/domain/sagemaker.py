"""Owns the words for Amazon SageMaker: what a revision is there, how it is brought in, and what an endpoint looks like.

Settings make a revision: a change of one makes a new model or endpoint configuration, whose name holds the hash of them all.
A policy says how revisions come and go and how many instances there are; a change of it makes no new revision.
Limits and names follow the service's API reference, https://docs.aws.amazon.com/sagemaker/latest/APIReference/.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum

from dockyard.domain.deployment import Revision, RevisionSpec, RevisionStatus, Target
from dockyard.domain.names import SAGEMAKER_ENDPOINT, derive_name
from dockyard.domain.observed import DeploymentState, ObservedDeployment
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_network import Network
from dockyard.domain.sagemaker_package import PackagePolicy, RevisionPackage

VARIANT = "AllTraffic"
"""The one name that production variants have: guardrails, autoscaling and alarms hold on to it from revision to revision."""
DEFAULT_INSTANCE = "ml.m5.large"
_NAME_LENGTH, _HASH_LENGTH = 63, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """Capacity that runs all the time."""

    instance_type: str = DEFAULT_INSTANCE
    count: int = 1
    volume_gb: int | None = None
    """Size of the storage volume; None: what the service gives the instance type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """Capacity that comes with requests."""

    memory_mb: int
    """1024 to 6144 in steps of 1024."""
    max_concurrency: int
    """How many requests at a time, 1 to 200."""
    provisioned_concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncInference:
    """Requests and answers by way of S3."""

    output: str
    """S3 URI that answers are written below."""
    failures: str | None = None
    success_topic: str | None = None
    """ARN of an SNS topic."""
    error_topic: str | None = None
    max_concurrent_invocations: int | None = None
    """Per instance; None: the service chooses."""


class ModelDelivery(str, Enum):
    """How a model's files come to its instances."""

    IMAGE = "image"
    """They are in the image."""
    ARCHIVE = "archive"
    """A tar.gz on S3."""
    PREFIX = "prefix"
    """Uncompressed objects under a prefix on S3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerSettings:
    """What decides how a revision runs on SageMaker; a change makes a new revision."""

    role: str
    """ARN of the execution role."""
    capacity: Instances | Serverless = field(default_factory=Instances)
    env: tuple[tuple[str, str], ...] = ()
    """Environment variables for the model, sorted by name. Everybody who may describe the model sees them."""
    startup_timeout_seconds: int | None = None
    """How long a container may take to answer /ping, 60 to 3600; None: the service's default."""
    download_timeout_seconds: int | None = None
    """How long fetching model data may take, 60 to 3600."""
    network_isolation: bool = False
    network: Network | None = None
    kms_key: str | None = None
    """Encrypts the storage volumes, and captured and asynchronous data."""
    data_capture: DataCapture | None = None
    asynchronous: AsyncInference | None = None
    component: Component | None = None
    """The model is an inference component on the instances; None: it has them for itself."""
    delivery: ModelDelivery = ModelDelivery.IMAGE
    bucket: str | None = None
    """S3 URI that model data goes below, where it is not in the image."""
    tags: tuple[tuple[str, str], ...] = ()
    """Tags of the user's for everything that is made, sorted by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerSpec(RevisionSpec):
    """A revision on SageMaker."""

    settings: SageMakerSettings


class RolloutKind(str, Enum):
    """How traffic moves to a new revision."""

    ALL_AT_ONCE = "all-at-once"
    CANARY = "canary"
    LINEAR = "linear"
    ROLLING = "rolling"
    SHADOW = "shadow"
    """None moves: the new revision gets copies of requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How traffic moves to a new revision, and what brings it back."""

    kind: RolloutKind = RolloutKind.ALL_AT_ONCE
    step_percent: int = 10
    """CANARY: the first share; LINEAR and ROLLING: every share."""
    wait_seconds: int = 300
    """How long alarms are watched after each share, and at the end of ALL_AT_ONCE."""
    termination_wait_seconds: int = 0
    """How long the old instances are kept after all traffic has moved."""
    shadow_percent: int = 100
    """SHADOW: the share of requests that are copied."""
    max_seconds: int = 3600
    """When the rollout is given up; at least all its waits and ten minutes."""
    alarms: tuple[str, ...] = ()
    """Names of alarms of the user's that take it back, beside those that are made for the endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """CloudWatch alarms of the endpoint; one that goes off during a rollout takes it back."""

    error_percent: float | None = 1.0
    """Share of answers with a 5xx status."""
    latency_ms: int | None = None
    """Of the slowest answer in a hundred (p99), in milliseconds."""
    period_seconds: int = 60
    periods: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledCapacity:
    """Other limits of the instance count at times."""

    name: str
    schedule: str
    """`cron(…)`, `rate(…)` or `at(…)`, in UTC."""
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How many instances there are, by load and by time."""

    minimum: int
    maximum: int
    invocations_per_instance: float | None = None
    """Target of requests a minute on each instance; None: only the schedule scales."""
    scale_in_seconds: int = 300
    scale_out_seconds: int = 60
    schedule: tuple[ScheduledCapacity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerPolicy:
    """How revisions come and go; a change makes no new revision."""

    rollout: Rollout = field(default_factory=Rollout)
    alarms: AlarmPolicy | None = None
    scaling: Scaling | None = None
    package: PackagePolicy | None = None
    create_role: bool = True
    """Whether the deployment's own execution role may be made, where none is given."""
    wait: bool = True
    """Whether the command stays until the revision serves."""
    timeout_seconds: int = 3600
    """How long it stays."""


class EndpointStatus(str, Enum):
    """The statuses of the service's own."""

    OUT_OF_SERVICE = "OutOfService"
    CREATING = "Creating"
    UPDATING = "Updating"
    SYSTEM_UPDATING = "SystemUpdating"
    ROLLING_BACK = "RollingBack"
    IN_SERVICE = "InService"
    DELETING = "Deleting"
    FAILED = "Failed"
    UPDATE_ROLLBACK_FAILED = "UpdateRollbackFailed"

    @property
    def is_moving(self) -> bool:
        """Whether it changes by itself, and takes no change until then."""
        return self in _MOVING


_MOVING = frozenset(EndpointStatus).difference(
    (EndpointStatus.OUT_OF_SERVICE, EndpointStatus.IN_SERVICE, EndpointStatus.FAILED, EndpointStatus.UPDATE_ROLLBACK_FAILED)
)
_SERVES_NOTHING = frozenset(
    {EndpointStatus.CREATING, EndpointStatus.FAILED, EndpointStatus.DELETING, EndpointStatus.OUT_OF_SERVICE}
)
_STATES = {
    EndpointStatus.CREATING: DeploymentState.STARTING,
    EndpointStatus.UPDATING: DeploymentState.UPDATING,
    EndpointStatus.ROLLING_BACK: DeploymentState.UPDATING,
    EndpointStatus.SYSTEM_UPDATING: DeploymentState.SERVING,
    EndpointStatus.IN_SERVICE: DeploymentState.SERVING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint as the service describes it."""

    name: str
    status: EndpointStatus
    config: str
    """Name of the endpoint configuration that serves, or is to serve once it is created."""
    pending_config: str | None = None
    """Name of the configuration that it is moving to."""
    production: str | None = None
    """Name of the revision that answers, where the configuration is one with a shadow and so has another name."""
    shadow: str | None = None
    """Name of the revision that gets copies of its requests."""
    coming: tuple[str, ...] = ()
    """Names of the revisions of the configuration that it is moving to, where that is one with a shadow."""
    images: tuple[str, ...] = ()
    """What the variant runs, as `repository@sha256:…`."""
    failure_reason: str = ""
    changed: str = ""
    """ISO 8601, UTC."""
    owner: str | None = None
    """The deployment that its tags name, as `environment/name`; None where somebody else made it."""

    @property
    def serving_config(self) -> str | None:
        """Name of the configuration whose model answers requests; None where none does."""
        return None if self.status in _SERVES_NOTHING else self.production or self.config

    @property
    def used(self) -> frozenset[str]:
        """Names of all configurations and revisions that it is at or on its way to."""
        names = (self.config, self.pending_config, self.production, self.shadow, *self.coming)
        return frozenset(filter(None, names))

    def uses(self, name: str) -> bool:
        """Whether it is at, or may be on its way to, what has that name."""
        return name in self.used

    @property
    def state(self) -> DeploymentState:
        """How it is to those who use it."""
        return _STATES.get(self.status, DeploymentState.DOWN)

    @property
    def target_config(self) -> str | None:
        """Name of the configuration that it is on its way to; None where it does not move, or away from one."""
        if self.status is EndpointStatus.CREATING:
            return self.config
        return self.pending_config if self.status is EndpointStatus.UPDATING else None

    def describe_revision(self, name: str) -> RevisionStatus:
        """What it makes of the revision whose configuration has that name."""
        if name == self.target_config or name in self.coming:
            return RevisionStatus.STARTING
        if self.status is EndpointStatus.FAILED and name == self.config:
            return RevisionStatus.FAILED
        return RevisionStatus.READY if name in {self.serving_config, self.shadow} else RevisionStatus.STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerRevision(Revision):
    """A revision as found in an account: what there is of it, by its content-addressed name."""

    name: str
    """Name of its model and of its endpoint configuration."""
    spec: SageMakerSpec
    has_model: bool
    has_config: bool
    package: RevisionPackage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose account, and where."""

    id: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSageMaker(ObservedDeployment):
    """One deployment as an account shows it."""

    revisions: tuple[SageMakerRevision, ...] = ()
    account: Account
    endpoint: Endpoint | None = None
    repository: str | None = None
    """URI of its image repository, where there is one."""
    shadow_configs: tuple[str, ...] = ()
    """Names of the configurations that have one of its revisions in the shadow of another."""
    host_configs: tuple[str, ...] = ()
    """Names of the configurations that have instances for an inference component, and no model."""
    has_own_role: bool = False
    """Whether the role that is made for it is there."""
    alarms: AlarmPolicy | None = None
    """As they are; None where there is none."""
    scaling: Scaling | None = None
    """As it is; None where nothing scales."""

    @property
    def endpoint_name(self) -> str | None:
        """The endpoint's name."""
        return self.endpoint.name if self.endpoint else None

    @property
    def exists(self) -> bool:
        """Whether there is anything of this deployment."""
        return any((self.endpoint, self.revisions, self.shadow_configs, self.host_configs, self.has_own_role, self.repository))

    @property
    def state(self) -> DeploymentState:
        """How its endpoint is."""
        return self.endpoint.state if self.endpoint else DeploymentState.EMPTY

    @property
    def capacity(self) -> str | None:
        """What the serving revision runs on, and which one is in its shadow."""
        shadow = f", revision {self.shadow_revision.number} in its shadow" if self.shadow_revision else ""
        if self.serving_revision is None:
            return None
        settings = self.serving_revision.spec.settings
        copies = f", {settings.component.describe()} of it" if settings.component else ""
        return describe_capacity(settings.capacity) + copies + shadow

    def find_revision(self, number: int | None) -> SageMakerRevision | None:
        """The revision of that number."""
        return next((one for one in self.revisions if one.number == number), None)

    @property
    def serving_revision(self) -> SageMakerRevision | None:
        """The revision that the endpoint serves, if it is still there."""
        return self.find_revision(self.serving)

    @property
    def shadow_revision(self) -> SageMakerRevision | None:
        """The revision that gets copies of the serving one's requests."""
        return self.find_named(self.endpoint.shadow) if self.endpoint else None

    def find_named(self, name: str | None) -> SageMakerRevision | None:
        """The revision whose configuration has that name."""
        return next((one for one in self.revisions if one.name == name), None)


def describe_capacity(capacity: Instances | Serverless) -> str:
    """What a revision runs on, in a few words."""
    if isinstance(capacity, Serverless):
        return f"serverless, {capacity.memory_mb} MB, at most {capacity.max_concurrency} at a time"
    return f"{capacity.count} x {capacity.instance_type}"


def derive_endpoint_name(environment: str, name: str) -> str:
    """Return the endpoint's name: the deployment's own in the environment that is called as the target, else of both."""
    return derive_name(SAGEMAKER_ENDPOINT, name if environment == Target.SAGEMAKER.value else f"{name}.{environment}")


def derive_revision_name(endpoint: str, spec_hash: str) -> str:
    """Return the name of a revision's model and endpoint configuration: whose it is and what is in it decide it."""
    digest = hashlib.sha256(f"{endpoint}/{spec_hash}".encode()).hexdigest()[:_HASH_LENGTH]
    return f"{revision_name_stem(endpoint)}-{digest}"


def revision_name_stem(endpoint: str) -> str:
    """Return what the names of all revisions of an endpoint begin with; those of other endpoints may as well."""
    return endpoint[: _NAME_LENGTH - _HASH_LENGTH - 1].rstrip("-")


def derive_repository_name(endpoint: str) -> str:
    """Return the name of the image repository that is made for a deployment."""
    return f"dockyard/{endpoint}"


def derive_role_name(endpoint: str) -> str:
    """Return the name of the execution role that is made for a deployment."""
    return f"dockyard-{endpoint}"
