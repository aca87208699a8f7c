"""Owns the words for batch transform on SageMaker: what a job is given, what it is called, and how one looks.

A job is named by what it does and counted, because the service takes a name once and for all: the same job asked for again
while it runs is that job, and another one afterwards.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import Enum

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import BuiltImage
from dockyard.domain.sagemaker import Instances, ObservedSageMaker, derive_revision_name

_HASH_LENGTH = 16
_STEM_LENGTH = 63 - _HASH_LENGTH - len("--00000")
_ACCESS = "dockyard-batch-"
_NAME = re.compile(r"(?P<stem>.+-(?P<hash>[0-9a-f]{16}))-(?P<number>[0-9]{1,5})")


class Split(str, Enum):
    """How objects are cut into records."""

    NONE = "none"
    LINE = "line"
    RECORD_IO = "record-io"
    TF_RECORD = "tf-record"


class Assembly(str, Enum):
    """How answers are put together to an object."""

    NONE = "none"
    LINE = "line"


class Strategy(str, Enum):
    """How many records go into a request: as many as a payload takes, or one."""

    MULTI_RECORD = "multi-record"
    SINGLE_RECORD = "single-record"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How a job runs."""

    instances: Instances = field(default_factory=Instances)
    content_type: str = "text/csv"
    """Of the requests that objects become."""
    accept: str | None = None
    """The content type that answers shall have; None: the model chooses."""
    split: Split = Split.NONE
    assemble: Assembly = Assembly.NONE
    strategy: Strategy | None = None
    """None: the service chooses."""
    max_payload_mb: int | None = None
    max_concurrent: int | None = None
    """Requests at a time on an instance."""
    timeout_seconds: int = 86_400
    """How long the job may take before it is stopped, where somebody waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformJob:
    """A job as it is to be."""

    name: str
    model: str
    """Name of the model."""
    input: str
    """S3 URI of the objects: all whose keys begin so."""
    output: str
    """S3 URI below which the answers go, as `<object>.out`."""
    settings: BatchSettings
    kms_key: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


class JobStatus(str, Enum):
    """The statuses of the service's own."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self not in {JobStatus.IN_PROGRESS, JobStatus.STOPPING}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenJob:
    """A job as the service shows it."""

    name: str
    status: JobStatus
    failure_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobModel:
    """A model that was made for jobs of a deployment."""

    name: str
    is_needed: bool
    """By a job that is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedBatch:
    """What a plan for a job stands on."""

    deployment: ObservedSageMaker
    """The deployment of the job's name, whose repository, role and perhaps model it uses."""
    image: BuiltImage | None
    """In the local store."""
    jobs: tuple[SeenJob, ...]
    """All that have done the same, or are doing it."""
    models: tuple[JobModel, ...]
    """All that jobs of the deployment have for themselves."""
    taken_at: str


def derive_job_model_name(endpoint: str, spec_hash: str) -> str:
    """Return the name of the model that jobs have for themselves: none that a deployment has."""
    return derive_revision_name(endpoint, f"batch/{spec_hash}")


def derive_job_stem(endpoint: str, parts: tuple[str, str, str], settings: BatchSettings) -> str:
    """Return what the names of all jobs that do the same begin with; `parts` are the spec's hash, input and output."""
    told = dataclasses.asdict(settings)
    del told["timeout_seconds"]
    text = json.dumps([endpoint, *parts, told], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    return f"{job_name_stem(endpoint)}-{digest}"


def job_name_stem(endpoint: str) -> str:
    """Return what the names of all jobs of a deployment begin with; those of other deployments may as well."""
    return endpoint[:_STEM_LENGTH].rstrip("-")


def derive_job_key(deployment: DeploymentKey, stem: str) -> DeploymentKey:
    """Return what jobs with names of that stem are locked and journalled as: no two of them run at a time."""
    return dataclasses.replace(deployment, name=stem)


def read_job_number(stem: str, name: str) -> int | None:
    """The number of the job among those that do the same; None for a job that does something else."""
    found = _NAME.fullmatch(name)
    return int(found["number"]) if found and found["stem"] == stem else None


def derive_access_name(job: str) -> str:
    """Return the name of the policy that lets the deployment's own role read and write what a job of that name does."""
    found = _NAME.fullmatch(job)
    return f"{_ACCESS}{found['hash'] if found else job}"


def is_access_name(policy: str) -> bool:
    """Whether a role's policy is one that was made for jobs."""
    return policy.startswith(_ACCESS)
