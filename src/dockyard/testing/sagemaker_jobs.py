"""Owns batch transform jobs in memory, beside an in-memory account. For tests, ours and users'.

A job goes a step further on its course whenever somebody looks at it. Names are taken for ever, as the service has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import derive_endpoint_name, derive_repository_name
from dockyard.domain.sagemaker_batch import JobModel, JobStatus, SeenJob, TransformJob, derive_access_name
from dockyard.domain.sagemaker_batch_steps import CleanUpJobs, CreateJobModel, GrantJobAccess
from dockyard.testing.sagemaker import MemoryAccount

COMPLETES = (JobStatus.IN_PROGRESS, JobStatus.IN_PROGRESS, JobStatus.COMPLETED)
FAILS = (JobStatus.IN_PROGRESS, JobStatus.FAILED)
RUNS_ON = (JobStatus.IN_PROGRESS,)


@dataclass(kw_only=True)
class MemoryJob:
    """A job, and what is still to come of it; the last status stays."""

    job: TransformJob
    course: list[JobStatus]
    failure_reason: str = ""

    def look(self) -> SeenJob:
        """How it is now; it moves on by that."""
        status = self.course.pop(0) if len(self.course) > 1 else self.course[0]
        reason = self.failure_reason if status is JobStatus.FAILED else ""
        return SeenJob(name=self.job.name, status=status, failure_reason=reason)

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.course[0].is_over


@dataclass(kw_only=True)
class MemoryJobs:
    """TransformJobs and JobSupplies in memory."""

    account: MemoryAccount
    course: tuple[JobStatus, ...] = COMPLETES
    """Of the next jobs."""
    failure_reason: str = ""
    invalid: DockyardError | None = None
    """What `check_job` raises."""
    blind_after: int | None = None
    """The look that is refused; None: none is."""
    logs: tuple[str, ...] = ()
    jobs: dict[str, MemoryJob] = field(default_factory=dict)
    models: dict[str, ImageDigest] = field(default_factory=dict)
    access: set[str] = field(default_factory=set)
    """The policies that were put on roles, as `role/policy`."""

    def start_job(self, key: DeploymentKey, job: TransformJob) -> None:
        """Start a job whose model is there."""
        del key
        with self.account.faults.watch(f"start_job {job.name}"):
            if job.name in self.jobs:
                if self.jobs[job.name].job != job:
                    raise ConflictError("name-taken", f"there is a transform job {job.name}, and it is another one")
                return
            if job.model not in {*self.models, *self.account.models}:
                raise DockyardError("aws-refused", f"Could not find model {job.model}")
            self.jobs[job.name] = MemoryJob(job=job, course=list(self.course), failure_reason=self.failure_reason)

    def find_job(self, name: str) -> SeenJob | None:
        """As looks see it."""
        if self.blind_after is not None:
            self.blind_after -= 1
            if self.blind_after == 0:
                raise DockyardError("aws-refused", f"transform job {name} may not be looked at")
        return self.jobs[name].look() if name in self.jobs else None

    def list_jobs(self, stem: str) -> tuple[SeenJob, ...]:
        """As lists see them, which moves nothing."""
        found = (one for name, one in self.jobs.items() if stem in name)
        return tuple(SeenJob(name=one.job.name, status=one.course[0]) for one in found)

    def stop_job(self, name: str) -> None:
        """Stop a job that is not over."""
        with self.account.faults.watch(f"stop_job {name}"):
            job = self.jobs.get(name)
            if job is not None and not job.is_over:
                job.course[:] = [JobStatus.STOPPING, JobStatus.STOPPED]

    def read_logs(self, name: str, *, tail: int) -> tuple[str, ...]:
        """What a test has put there."""
        del name
        return self.logs[max(len(self.logs) - tail, 0) :]

    def check_job(self, key: DeploymentKey, job: TransformJob) -> None:
        """All is well unless it is said otherwise."""
        del key, job
        if self.invalid is not None:
            raise self.invalid

    def list_models(self, key: DeploymentKey) -> tuple[JobModel, ...]:
        """All that there are: the account has one deployment with jobs."""
        del key
        needed = {one.job.model for one in self.jobs.values() if not one.is_over}
        return tuple(JobModel(name=name, is_needed=name in needed) for name in self.models)

    def create_model(self, key: DeploymentKey, step: CreateJobModel, image: ImageDigest) -> None:
        """Make a model whose image has been pushed."""
        del key
        with self.account.faults.watch(f"create_job_model {step.name}"):
            if image not in self.account.images.pushed.values():
                raise DockyardError("aws-refused", f"Requested image {image} not found")
            self.models[step.name] = image

    def grant_access(self, step: GrantJobAccess) -> None:
        """Put a policy on a role that is there."""
        with self.account.faults.watch(f"grant_access {step.role}"):
            if step.role not in self.account.roles:
                raise DockyardError("aws-refused", f"the role {step.role} cannot be found")
            self.access.add(f"{step.role}/{derive_access_name(step.job.name)}")

    def clean_up(self, key: DeploymentKey, step: CleanUpJobs) -> None:
        """Take away what no job needs which is not over."""
        with self.account.faults.watch(f"clean_up {step.model} {step.role}"):
            living = [one.job for one in self.jobs.values() if not one.is_over]
            if step.role is not None:
                needed = {f"{step.role}/{derive_access_name(job.name)}" for job in living}
                self.access -= {one for one in self.access if one.startswith(f"{step.role}/") and one not in needed}
            if step.model is None or step.model in {job.model for job in living}:
                return
            image = self.models.pop(step.model, None)
            self.account.uploads.pop(step.model, None)
            if image is not None and image not in self.models.values():
                repository = derive_repository_name(derive_endpoint_name(key.environment, key.name))
                self.account.delete_image(repository, image.rpartition("@")[2])
