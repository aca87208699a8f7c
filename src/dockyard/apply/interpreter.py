"""Owns how a plan is walked: every outcome is saved before the next step begins, what may work the second time is tried again,
and a failure before the new state stands takes everything back. Must not know what any step does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dockyard.domain.errors import CancelledError, DetachedError, DockyardError, TransientError
from dockyard.domain.phase import Phase
from dockyard.domain.plan import Outcome, OutcomeStatus, Plan, Step
from dockyard.ports import Clock, Progress

Facts = tuple[tuple[str, str | int | float | tuple[float, ...]], ...]

_TRIES = 3
_FIRST_DELAY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What a step gives that found nothing to do."""

    reason: str


class Handlers(Protocol):
    """What steps mean. Both methods may be called again for a step that is done already."""

    def perform(self, step: Step, outcomes: tuple[Outcome, ...]) -> Facts | Skipped:
        """Do a step; `outcomes` are those of the steps before it."""
        ...

    def undo(self, step: Step) -> None:
        """Take back what a step of phase PREPARE or COMMIT did, as far as it came."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """How a plan went. `failure` ended it and everything was taken back; `late_failures` came after the new state stood."""

    outcomes: tuple[Outcome, ...]
    failure: DockyardError | None = None
    late_failures: tuple[DockyardError, ...] = ()


def _is_held() -> None:
    """Nobody takes a lock away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """Walks plans. `save` is called with all outcomes so far after every step, whatever its outcome."""

    handlers: Handlers
    save: Callable[[tuple[Outcome, ...]], None]
    clock: Clock
    progress: Progress
    check_lock: Callable[[], None] = _is_held
    """Raises where somebody else may be changing the deployment by now; nothing is done any more then, nor taken back."""

    def apply(self, plan: Plan) -> Applied:
        """Do the plan's steps in order."""
        outcomes: tuple[Outcome, ...] = ()
        begun: list[Step] = []
        late: list[DockyardError] = []
        for step in plan.steps:
            try:
                self.check_lock()
            except DockyardError as lost:
                return Applied(outcomes=outcomes, failure=lost)
            begun.append(step)
            try:
                outcome, error = self._attempt(step, outcomes)
                outcomes = (*outcomes, outcome)
                self.save(outcomes)
            except BaseException:
                # A defect or a full disk, which no step foresees: take back what can be taken back, and let it be seen.
                self._undo_if_unsettled(begun)
                raise
            if error is None:
                continue
            if isinstance(error, DetachedError):
                return Applied(outcomes=outcomes, failure=error)
            if step.phase is not Phase.SETTLE:
                outcomes = (*outcomes, *self._undo(begun))
                self.save(outcomes)
                return Applied(outcomes=outcomes, failure=error)
            late.append(error)
        return Applied(outcomes=outcomes, late_failures=tuple(late))

    def _attempt(self, step: Step, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, DockyardError | None]:
        started = self.clock.monotonic()
        error: DockyardError | None = None
        found: Facts | Skipped = ()
        try:
            with self.progress.begin(step.describe()):
                found = self._perform_with_retries(step, outcomes)
        except DockyardError as raised:
            error = raised
        except KeyboardInterrupt:
            error = CancelledError("cancelled", f"interrupted while it was to {step.describe()}")
        if isinstance(found, Skipped):
            self.progress.note(f"skipped: {found.reason}")
        outcome = Outcome(
            step=step.type,
            description=step.describe(),
            status=_tell_status(error, found),
            seconds=round(self.clock.monotonic() - started, 3),
            error_code=error.code if error else None,
            error=error.message if error else None,
            facts=(("reason", found.reason),) if isinstance(found, Skipped) else found,
        )
        return outcome, error

    def _perform_with_retries(self, step: Step, outcomes: tuple[Outcome, ...]) -> Facts | Skipped:
        for attempt in range(_TRIES - 1):
            try:
                return self.handlers.perform(step, outcomes)
            except TransientError as error:
                self.progress.note(f"{error.message}; trying again")
                self.clock.sleep(_FIRST_DELAY_SECONDS * 2**attempt)
        return self.handlers.perform(step, outcomes)

    def _undo_if_unsettled(self, begun: list[Step]) -> None:
        if begun[-1].phase is not Phase.SETTLE:
            self._undo(begun)

    def _undo(self, begun: list[Step]) -> tuple[Outcome, ...]:
        """Undo in reverse order; one undoing that fails does not keep the others from being done."""
        outcomes: list[Outcome] = []
        for step in reversed(begun):
            started = self.clock.monotonic()
            error: DockyardError | None = None
            try:
                self.handlers.undo(step)
            except DockyardError as raised:
                error = raised
                self.progress.note(f"could not take back: {step.describe()}: {raised.message}")
            outcomes.append(
                Outcome(
                    step=step.type,
                    description=f"take back: {step.describe()}",
                    status=OutcomeStatus.FAILED if error else OutcomeStatus.UNDONE,
                    seconds=round(self.clock.monotonic() - started, 3),
                    error_code=error.code if error else None,
                    error=error.message if error else None,
                )
            )
        return tuple(outcomes)


def _tell_status(error: DockyardError | None, found: Facts | Skipped) -> OutcomeStatus:
    if error is not None:
        return OutcomeStatus.FAILED
    return OutcomeStatus.SKIPPED if isinstance(found, Skipped) else OutcomeStatus.DONE
