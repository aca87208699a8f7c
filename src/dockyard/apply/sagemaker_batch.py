"""Owns what the steps of a batch transform job mean, and how they are taken back; those of deployments are done as for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import assert_never

from dockyard.apply.interpreter import Facts, Handlers, Skipped
from dockyard.apply.watching import Watch
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DetachedError, UnhealthyError
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.plan import Outcome, Step
from dockyard.domain.sagemaker_batch import JobStatus, SeenJob
from dockyard.domain.sagemaker_batch_steps import (
    BatchStep,
    CleanUpJobs,
    CreateJobModel,
    GrantJobAccess,
    StartTransform,
    WaitTransform,
)
from dockyard.domain.sagemaker_hints import find_hint
from dockyard.ports import Clock, Progress
from dockyard.ports_batch import JobSupplies, TransformJobs

_LOG_LINES = 50
_STOP_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHandlers:
    """The steps of one job."""

    key: DeploymentKey
    deployment: Handlers
    """What the steps that deployments have too mean."""
    find_image: Callable[[Fingerprint], ImageDigest]
    """Where the image of a fingerprint has been pushed."""
    jobs: TransformJobs
    supplies: JobSupplies
    clock: Clock
    progress: Progress

    def perform(self, step: Step, outcomes: tuple[Outcome, ...]) -> Facts | Skipped:
        """Do a step."""
        if not isinstance(step, GrantJobAccess | CreateJobModel | StartTransform | WaitTransform | CleanUpJobs):
            return self.deployment.perform(step, outcomes)
        self._perform(step)
        return ()

    def undo(self, step: Step) -> None:
        """Take back what a step did, as far as it came."""
        match step:
            case StartTransform(job=job):
                self._stop(job.name)
            case WaitTransform(name=name):
                self._stop(name)
            case CreateJobModel(name=name):
                self.supplies.clean_up(self.key, CleanUpJobs(model=name, role=None))
            case GrantJobAccess(role=role):
                self.supplies.clean_up(self.key, CleanUpJobs(model=None, role=role))
            case _:
                self.deployment.undo(step)

    def _perform(self, step: BatchStep) -> None:
        match step:
            case GrantJobAccess():
                self.supplies.grant_access(step)
            case CreateJobModel(spec=spec):
                self.supplies.create_model(self.key, step, self.find_image(spec.fingerprint))
            case StartTransform(job=job):
                self.jobs.start_job(self.key, job)
            case WaitTransform():
                self._wait(step)
            case CleanUpJobs():
                self.supplies.clean_up(self.key, step)
            case _:
                assert_never(step)

    def _wait(self, step: WaitTransform) -> None:
        watch = Watch(clock=self.clock, timeout_seconds=step.timeout_seconds)
        try:
            for _ in watch.looks():
                job = self.jobs.find_job(step.name)
                if self._is_completed(step.name, job, watch):
                    return
                status = job.status.value if job else "not to be seen yet"
                self.progress.advance(f"transform job {step.name}: {status}, {watch.seconds:.0f} s", 0, None)
        except KeyboardInterrupt:
            raise DetachedError(
                "cancelled",
                f"no longer waiting; transform job {step.name} goes on",
                hint="the same command again goes on waiting; `dockyard gc` takes its model away when it is over",
            ) from None
        raise self._failed(step.name, f"is not over after {step.timeout_seconds} s, and is stopped", "")

    def _is_completed(self, name: str, job: SeenJob | None, watch: Watch) -> bool:
        if job is None:
            if watch.may_be_late:
                return False
            raise self._failed(name, "is not there", "")
        if not job.status.is_over:
            return False
        if job.status is JobStatus.COMPLETED:
            return True
        what = "failed" if job.status is JobStatus.FAILED else "was stopped by somebody"
        raise self._failed(name, what, job.failure_reason)

    def _stop(self, name: str) -> None:
        """Stop a job, and wait until it needs nothing any more."""
        self.jobs.stop_job(name)
        for _ in Watch(clock=self.clock, timeout_seconds=_STOP_SECONDS).looks():
            job = self.jobs.find_job(name)
            if job is None or job.status.is_over:
                return

    def _failed(self, name: str, what: str, reason: str) -> UnhealthyError:
        lines = self.jobs.read_logs(name, tail=_LOG_LINES)
        because = f": {reason}" if reason else ""
        message = f"transform job {name} {what}{because}"
        return UnhealthyError("batch-failed", message, hint=find_hint(reason, lines), details=lines)
