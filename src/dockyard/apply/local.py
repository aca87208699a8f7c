"""Owns what each step means on the local target: one method call of a port for each step, no decision."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from typing_extensions import assert_never

from dockyard.apply.interpreter import Facts, Skipped
from dockyard.apply.smoke import run_smoke_test
from dockyard.apply.steps import SharedHandlers
from dockyard.domain.deployment import DeploymentKey, LocalRevision, ProofFailure, RevisionStatus
from dockyard.domain.errors import UnhealthyError
from dockyard.domain.plan import (
    BuildImage,
    Outcome,
    RemoveDeployment,
    RemoveRevision,
    SetAlias,
    ShiftTraffic,
    SmokeTest,
    StartRevision,
    Step,
    StopRevision,
    WaitReady,
    WriteRecord,
)
from dockyard.ports import Clock, LocalHost, LocalInventory, Scorer

_LOG_LINES = 20
_LOOK_SECONDS = 0.5
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHandlers:
    """The steps of one local deployment."""

    shared: SharedHandlers
    host: LocalHost
    inventory: LocalInventory
    scorer: Scorer
    clock: Clock

    @property
    def key(self) -> DeploymentKey:
        """Whose steps these are."""
        return self.shared.key

    def perform(self, step: Step, outcomes: tuple[Outcome, ...]) -> Facts | Skipped:
        """Do a step."""
        match step:
            case BuildImage() | SetAlias() | WriteRecord():
                return self.shared.perform(step, outcomes)
            case SmokeTest(number=number):
                return run_smoke_test(step, self._address(number), images=self.shared.images, scorer=self.scorer)
            case StartRevision() | WaitReady() | ShiftTraffic() | StopRevision() | RemoveRevision() | RemoveDeployment():
                self._act(step)
                return ()
            case _:
                raise TypeError(f"{step.type} is no step of the local target")

    def undo(self, step: Step) -> None:
        """Take back what a step did. What only fills a cache or the image store stays: it is found again by its content."""
        match step:
            case StartRevision(number=number, is_new=True):
                self.host.remove_revision(self.key, number)
            case StartRevision(number=number):
                self.host.stop_revision(self.key, number)
            case ShiftTraffic(number=number, previous=previous, port=port, previous_port=previous_port):
                if previous != number:
                    self.host.route_traffic(self.key, previous, previous_port or port)
            case _:
                return

    def _act(self, step: StartRevision | WaitReady | ShiftTraffic | StopRevision | RemoveRevision | RemoveDeployment) -> None:
        match step:
            case StartRevision(number=number, spec=spec):
                self.host.start_revision(self.key, number, spec)
            case WaitReady():
                self._wait_ready(step)
            case ShiftTraffic(number=target, port=port):
                self.host.route_traffic(self.key, target, port)
            case StopRevision(number=number):
                self.host.stop_revision(self.key, number)
            case RemoveRevision(number=number):
                self.host.remove_revision(self.key, number)
            case RemoveDeployment(key=key):
                self.inventory.delete_deployment(key)
            case _:
                assert_never(step)

    def _wait_ready(self, step: WaitReady) -> None:
        """Look at the revision itself between two waits, so that a crash is told at once and not when the time is up."""
        end = self.clock.monotonic() + step.timeout_seconds
        while True:
            revision = self.host.describe_deployment(self.key).find_revision(step.number)
            if revision is None or revision.status in {RevisionStatus.FAILED, RevisionStatus.STOPPED}:
                raise self._ended(step.number, revision)
            if revision.address is not None and self.scorer.wait_ready(revision.address, _LOOK_SECONDS):
                return
            if self.clock.monotonic() >= end:
                raise self._unhealthy(step.number, "revision-not-ready", f"is not ready after {step.timeout_seconds} s")
            self.clock.sleep(_PAUSE_SECONDS)

    def _ended(self, number: int, revision: LocalRevision | None) -> UnhealthyError:
        """It proves itself before it is ready, so a wrong answer shows as its end already, before the smoke test."""
        match revision.proof_failure if revision is not None else None:
            case ProofFailure.DIFFERS:
                code, what = "wrong-answer", "answers the input example differently from the image at build time"
            case ProofFailure.RAISES:
                code, what = "smoke-test-failed", "raises an error for the model's own input example"
            case None:
                code, what = "revision-crashed", "ended before it was ready"
            case other:
                assert_never(other)
        return self._unhealthy(number, code, what)

    def _unhealthy(self, number: int, code: str, what: str) -> UnhealthyError:
        lines = tuple(islice(self.inventory.read_logs(self.key, number, follow=False, tail=_LOG_LINES), _LOG_LINES))
        return UnhealthyError(
            code,
            f"revision {number} of {self.key} {what}",
            hint="the last lines of its log are above; the old revision, if there is one, still serves",
            details=lines,
        )

    def _address(self, number: int) -> str:
        revision = self.host.describe_deployment(self.key).find_revision(number)
        if revision is None or revision.address is None:
            raise self._unhealthy(number, "revision-crashed", "is gone")
        return revision.address
