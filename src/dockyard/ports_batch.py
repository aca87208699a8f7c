"""Owns the Protocols between batch transform and an AWS account. See `dockyard.ports_sagemaker`, whose rules hold here too."""

from __future__ import annotations

from typing import Protocol

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker_batch import JobModel, SeenJob, TransformJob
from dockyard.domain.sagemaker_batch_steps import CleanUpJobs, CreateJobModel, GrantJobAccess


class TransformJobs(Protocol):
    """Jobs themselves."""

    def start_job(self, key: DeploymentKey, job: TransformJob) -> None:
        """Start a job; one of ours of that name was started before."""
        ...

    def find_job(self, name: str) -> SeenJob | None:
        """How a job is now; None where there is none."""
        ...

    def list_jobs(self, stem: str) -> tuple[SeenJob, ...]:
        """All jobs whose names have that in them."""
        ...

    def stop_job(self, name: str) -> None:
        """Begin to stop a job; one that is over, or not there, is no error."""
        ...

    def read_logs(self, name: str, *, tail: int) -> tuple[str, ...]:
        """The last lines that its containers have logged; none where logs cannot be read."""
        ...


class JobSupplies(Protocol):
    """What jobs need that no deployment has."""

    def check_job(self, key: DeploymentKey, job: TransformJob) -> None:
        """Check every value against the service's own model; nothing is contacted. Raises UsageError `setting-invalid`."""
        ...

    def list_models(self, key: DeploymentKey) -> tuple[JobModel, ...]:
        """The models that were made for jobs of a deployment."""
        ...

    def create_model(self, key: DeploymentKey, step: CreateJobModel, image: ImageDigest) -> None:
        """Make a model that runs an image, given as `repository@sha256:…`."""
        ...

    def grant_access(self, step: GrantJobAccess) -> None:
        """Let the role of a step read and write what its job does."""
        ...

    def clean_up(self, key: DeploymentKey, step: CleanUpJobs) -> None:
        """Delete the model with its data and image, and the access; as far as no job that is not over needs them."""
        ...
