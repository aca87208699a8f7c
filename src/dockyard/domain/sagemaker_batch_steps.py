"""Owns the steps that only batch transform jobs have; see `dockyard.domain.plan` for what steps are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from dockyard.domain.phase import Phase
from dockyard.domain.sagemaker import SageMakerSpec
from dockyard.domain.sagemaker_batch import TransformJob


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantJobAccess:
    """Let the deployment's own role read a job's input and write its output."""

    phase: ClassVar[Phase] = Phase.PREPARE
    role: str
    """Its name."""
    job: TransformJob
    type: Literal["GrantJobAccess"] = "GrantJobAccess"

    def describe(self) -> str:
        return f"let {self.role} read {self.job.input} and write {self.job.output}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJobModel:
    """Make a model that no deployment has."""

    phase: ClassVar[Phase] = Phase.PREPARE
    name: str
    spec: SageMakerSpec
    type: Literal["CreateJobModel"] = "CreateJobModel"

    def describe(self) -> str:
        return f"create model {self.name} of {self.spec.model.title}, for as long as the job takes"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTransform:
    """Start a job."""

    phase: ClassVar[Phase] = Phase.COMMIT
    job: TransformJob
    type: Literal["StartTransform"] = "StartTransform"

    def describe(self) -> str:
        instances = self.job.settings.instances
        on = f"{instances.count} x {instances.instance_type}"
        return f"start transform job {self.job.name} on {on}: {self.job.input} to {self.job.output}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTransform:
    """Wait until a job is over, and see that it has done what it was to."""

    phase: ClassVar[Phase] = Phase.COMMIT
    name: str
    timeout_seconds: int
    type: Literal["WaitTransform"] = "WaitTransform"

    def describe(self) -> str:
        return f"wait until transform job {self.name} is completed, at most {self.timeout_seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUpJobs:
    """Take away what was made for jobs only, unless another one still needs it."""

    phase: ClassVar[Phase] = Phase.SETTLE
    model: str | None
    """None where the model is a deployment's."""
    role: str | None
    """The deployment's own role that was let in; None where another one is used."""
    type: Literal["CleanUpJobs"] = "CleanUpJobs"

    def describe(self) -> str:
        what = [f"model {self.model}" if self.model else "", f"the job's access of {self.role}" if self.role else ""]
        return f"delete {' and '.join(one for one in what if one)}"


BatchStep = GrantJobAccess | CreateJobModel | StartTransform | WaitTransform | CleanUpJobs
