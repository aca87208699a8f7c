"""Owns what `environments.<name>.sagemaker` may say, and its meaning in the domain's words.

Only what would make no sense on any account is refused here; what the service takes, its own model says before a deploy.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from dockyard.adapters.config_section import Section, Text
from dockyard.domain.sagemaker import (
    DEFAULT_INSTANCE,
    AlarmPolicy,
    AsyncInference,
    Instances,
    ModelDelivery,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    SageMakerSettings,
    Scaling,
    ScheduledCapacity,
    Serverless,
)
from dockyard.domain.sagemaker_batch import Assembly, BatchSettings, Split, Strategy
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_network import Network
from dockyard.domain.sagemaker_package import Approval, PackagePolicy
from dockyard.domain.sagemaker_place import AwsAccess, SageMakerPlace

_ROLLOUT = Rollout()
_ALARMS = AlarmPolicy()
_BATCH = BatchSettings()
Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z\-]*:[^\s]+$", max_length=2048)]
S3Uri = Annotated[str, StringConstraints(pattern=r"^s3://[^/\s]+(/\S*)?$", max_length=1024)]
Count = Annotated[int, Field(ge=0)]
Percent = Annotated[int, Field(ge=1, le=100)]


class ServerlessSection(Section):
    """Capacity that comes with requests, instead of instances."""

    memory_mb: int = 2048
    """1024 to 6144 in steps of 1024."""
    max_concurrency: int = 5
    """How many requests at a time, 1 to 200."""
    provisioned_concurrency: int | None = None
    """How many of them are kept warm."""


class AsyncSection(Section):
    """Requests and answers by way of S3."""

    output: S3Uri
    """Where answers go."""
    failures: S3Uri | None = None
    """Where the answers of failed requests go."""
    success_topic: Arn | None = None
    """An SNS topic that is told of answers."""
    error_topic: Arn | None = None
    """An SNS topic that is told of failures."""
    max_concurrent_invocations: int | None = None
    """How many requests at a time on an instance."""


class ComponentSection(Section):
    """The model is an inference component on the instances, which come and go as its copies need them."""

    memory_mb: int
    """The least memory of each copy."""
    cpus: float | None = None
    """Processor cores of each copy."""
    accelerators: int | None = None
    """GPUs or Neuron devices of each copy."""
    copies: Annotated[int, Field(ge=1)] = 1
    """How many copies there are at first; `scaling` may change that."""
    max_instances: Annotated[int, Field(ge=1)] | None = None
    """The most instances that copies may take; without it `count`."""


class DataCaptureSection(Section):
    """Requests and answers copied to S3."""

    destination: S3Uri
    """Where they go."""
    percent: Percent = 100
    """How many of a hundred."""
    captures_input: bool = True
    """Whether requests are copied."""
    captures_output: bool = True
    """Whether answers are copied."""


class RolloutSection(Section):
    """How traffic moves to a new revision."""

    kind: RolloutKind = _ROLLOUT.kind
    """`all-at-once`, `canary` (a share first), `linear` (share by share), `rolling` (instances replaced in batches), or
    `shadow` (none: the new revision gets copies of requests)."""
    step_percent: Percent = _ROLLOUT.step_percent
    """The first share of `canary`, every share of `linear` and `rolling`."""
    wait_seconds: Count = _ROLLOUT.wait_seconds
    """How long alarms are watched after each share."""
    shadow_percent: Percent = _ROLLOUT.shadow_percent
    """How many of a hundred requests `shadow` copies."""
    termination_wait_seconds: Count = _ROLLOUT.termination_wait_seconds
    """How long the old instances stay after the traffic has moved."""
    max_seconds: Count = _ROLLOUT.max_seconds
    """When a rollout is given up; at least all its waits and ten minutes."""
    alarms: list[Text] = []
    """Names of CloudWatch alarms of your own that take a rollout back."""


class AlarmsSection(Section):
    """CloudWatch alarms that are made for the endpoint, and take a rollout back."""

    error_percent: Annotated[float, Field(gt=0, le=100)] | None = _ALARMS.error_percent
    """Share of answers with a 5xx status; null: no such alarm."""
    latency_ms: Annotated[int, Field(ge=1)] | None = _ALARMS.latency_ms
    """The slowest answer in a hundred (p99); null: no such alarm."""
    period_seconds: Annotated[int, Field(ge=10)] = _ALARMS.period_seconds
    """How long one look takes: 10, 30 or a multiple of 60."""
    periods: Annotated[int, Field(ge=1)] = _ALARMS.periods
    """How many looks in a row must be bad."""


class BatchSection(Section):
    """How batch transform jobs run, which `dockyard batch sagemaker` starts."""

    instance: Text | None = None
    """The instance type; without it the `instance` of deployments."""
    count: Annotated[int, Field(ge=1)] = _BATCH.instances.count
    """How many instances share the objects."""
    content_type: Text = _BATCH.content_type
    """The content type of the requests that objects become."""
    accept: Text | None = None
    """The content type that answers shall have."""
    split: Split = _BATCH.split
    """How objects are cut into records: `none`, `line`, `record-io` or `tf-record`."""
    assemble: Assembly = _BATCH.assemble
    """How answers are put together: `none` (as they come) or `line` (each on a line)."""
    strategy: Strategy | None = None
    """`multi-record` fills requests with records, `single-record` sends each by itself."""
    max_payload_mb: Annotated[int, Field(ge=0, le=100)] | None = None
    """The largest request, in MB."""
    max_concurrent: Count | None = None
    """Requests at a time on an instance."""
    timeout_seconds: Annotated[int, Field(ge=1, le=2_419_200)] = _BATCH.timeout_seconds
    """How long a job that is waited for may take before it is stopped."""


class ScheduleSection(Section):
    """Other limits at times."""

    name: Text
    """Its name."""
    schedule: Text
    """`cron(0 6 * * ? *)`, `rate(1 day)` or `at(2027-01-01T00:00:00)`, in UTC."""
    minimum: Count
    """The least instances from then on."""
    maximum: Count
    """The most instances from then on."""


class ScalingSection(Section):
    """How many instances there are, by load and by time."""

    minimum: Count
    """The least instances; of a `component`, the least copies."""
    maximum: Count
    """The most of them."""
    invocations_per_instance: Annotated[float, Field(gt=0)] | None = None
    """Requests a minute that an instance, or a copy, shall have; without it only the schedule scales."""
    scale_in_seconds: Count = 300
    """How long after one scaling in the next may follow."""
    scale_out_seconds: Count = 60
    """How long after one scaling out the next may follow."""
    schedule: list[ScheduleSection] = []
    """Other limits at times."""


class ModelPackageSection(Section):
    """A version in SageMaker Model Registry for every revision that serves."""

    group: Text
    """The model package group; it is made where there is none."""
    approval: Approval = Approval.PENDING
    """The approval status that a new version gets, `pending` or `approved`. A later one stays as people set it."""


class SageMaker(Section):
    """How deployments run on SageMaker. Nothing is needed but AWS credentials and a region."""

    region: Text | None = None
    """The AWS region; without it the AWS configuration's."""
    profile: Text | None = None
    """A profile of the AWS configuration."""
    assume_role: Arn | None = None
    """A role to act as; assumed anew before its session ends."""
    external_id: Text | None = None
    """The external id that this role asks for."""
    role: Arn | None = None
    """The execution role; without it the deployment's own one, which is made where it is missing."""
    create_role: bool = True
    """Whether that role may be made."""
    instance: Text = DEFAULT_INSTANCE
    """The instance type."""
    count: Annotated[int, Field(ge=1)] = 1
    """How many instances; with a `component`, how many at least."""
    volume_gb: int | None = None
    """Size of each instance's volume."""
    serverless: ServerlessSection | None = None
    """Serverless capacity instead of instances."""
    startup_timeout_seconds: int | None = None
    """How long a container may take to answer, 60 to 3600."""
    download_timeout_seconds: int | None = None
    """How long fetching model data may take, 60 to 3600."""
    network_isolation: bool = False
    """Whether containers have no network at all."""
    subnets: list[Text] = []
    """Subnets of your own that instances are joined to."""
    security_groups: list[Text] = []
    """Security groups for them."""
    kms_key: Text | None = None
    """Encrypts volumes, captured and asynchronous data."""
    data_capture: DataCaptureSection | None = None
    """Requests and answers copied to S3."""
    asynchronous: AsyncSection | None = None
    """Asynchronous inference."""
    component: ComponentSection | None = None
    """An inference component: the model shares its instances by memory and cores, and may be scaled down to nothing."""
    delivery: ModelDelivery = ModelDelivery.IMAGE
    """How the model's files come to instances: in the `image`, as an `archive` on S3, or as objects under a `prefix` on S3."""
    bucket: S3Uri | None = None
    """Where on S3 model data goes, for `archive` and `prefix`."""
    tags: dict[str, str] = {}
    """Tags for everything that is made."""
    rollout: RolloutSection = RolloutSection()
    """How traffic moves to a new revision."""
    alarms: AlarmsSection | None = None
    """Alarms that are made for the endpoint."""
    scaling: ScalingSection | None = None
    """How many instances there are, by load and by time."""
    model_package: ModelPackageSection | None = None
    """Versions in SageMaker Model Registry."""
    batch: BatchSection = BatchSection()
    """How batch transform jobs run."""
    timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600
    """How long a deploy waits for the endpoint."""


def make_place(section: SageMaker) -> SageMakerPlace:
    """Return what a section says, in the domain's words."""
    access = AwsAccess(
        region=section.region, profile=section.profile, assume_role=section.assume_role, external_id=section.external_id
    )
    return SageMakerPlace(
        access=access, settings=_make_settings(section), policy=_make_policy(section), batch=_make_batch(section)
    )


def _make_batch(section: SageMaker) -> BatchSettings:
    given = section.batch.model_dump(exclude={"instance", "count"})
    instance = section.batch.instance or section.instance
    return BatchSettings(instances=Instances(instance_type=instance, count=section.batch.count), **given)


def _make_settings(section: SageMaker) -> SageMakerSettings:
    serverless, capture, asynchronous = section.serverless, section.data_capture, section.asynchronous
    instances = Instances(instance_type=section.instance, count=section.count, volume_gb=section.volume_gb)
    groups = tuple(section.security_groups)
    return SageMakerSettings(
        role=section.role or "",
        capacity=Serverless(**serverless.model_dump()) if serverless else instances,
        startup_timeout_seconds=section.startup_timeout_seconds,
        download_timeout_seconds=section.download_timeout_seconds,
        network_isolation=section.network_isolation,
        network=Network(subnets=tuple(section.subnets), security_groups=groups) if section.subnets or groups else None,
        kms_key=section.kms_key,
        data_capture=DataCapture(**capture.model_dump()) if capture else None,
        asynchronous=AsyncInference(**asynchronous.model_dump()) if asynchronous else None,
        component=Component(**section.component.model_dump()) if section.component else None,
        delivery=section.delivery,
        bucket=section.bucket,
        tags=tuple(sorted(section.tags.items())),
    )


def _make_policy(section: SageMaker) -> SageMakerPolicy:
    alarms = AlarmPolicy(**section.alarms.model_dump()) if section.alarms else None
    has_alarms = alarms is not None and (alarms.error_percent is not None or alarms.latency_ms is not None)
    rollout = section.rollout.model_dump() | {"alarms": tuple(section.rollout.alarms)}
    return SageMakerPolicy(
        rollout=Rollout(**rollout),
        alarms=alarms if has_alarms else None,
        scaling=_make_scaling(section.scaling) if section.scaling else None,
        package=PackagePolicy(**section.model_package.model_dump()) if section.model_package else None,
        create_role=section.create_role,
        timeout_seconds=section.timeout_seconds,
    )


def _make_scaling(section: ScalingSection) -> Scaling:
    schedule = sorted((ScheduledCapacity(**one.model_dump()) for one in section.schedule), key=lambda one: one.name)
    return Scaling(**section.model_dump() | {"schedule": tuple(schedule)})
