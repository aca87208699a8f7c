"""The interpreter: order, journal, retries, undo, and what failures mean in each phase."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard.apply.interpreter import Applied, Facts, Interpreter, Skipped
from dockyard.domain.errors import ConflictError, DockyardError, TransientError, UnavailableError, UnhealthyError
from dockyard.domain.image import BuilderKind, Fingerprint
from dockyard.domain.phase import Phase
from dockyard.domain.plan import (
    BuildImage,
    Outcome,
    OutcomeStatus,
    Plan,
    ShiftTraffic,
    StartRevision,
    Step,
    StopRevision,
    WriteRecord,
)
from dockyard.domain.record import RecordStatus
from dockyard.testing.surroundings import ManualClock, RecordedProgress
from support.local_values import KEY, make_spec

STEPS: tuple[Step, ...] = (
    BuildImage(fingerprint=Fingerprint("fp"), builder=BuilderKind.DIRECT, reason="because"),
    StartRevision(number=2, spec=make_spec(2), is_new=True),
    ShiftTraffic(number=2, previous=1, port=8080),
    StopRevision(number=1),
    WriteRecord(key=KEY, status=RecordStatus.SERVING, number=2),
)


@dataclass(kw_only=True)
class ScriptedHandlers:
    """Raises the errors of a script, step type by step type, one each time the step is tried."""

    script: dict[str, list[BaseException]] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    undo_errors: dict[str, DockyardError] = field(default_factory=dict)
    performed: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)

    def perform(self, step: Step, outcomes: tuple[Outcome, ...]) -> Facts | Skipped:
        self.performed.append(step.type)
        if step.type in self.skipped:
            return Skipped(reason="nothing to do")
        errors = self.script.get(step.type, [])
        if errors:
            raise errors.pop(0)
        return (("seen", len(outcomes)),)

    def undo(self, step: Step) -> None:
        self.undone.append(step.type)
        if step.type in self.undo_errors:
            raise self.undo_errors[step.type]


@dataclass(kw_only=True)
class Run:
    """One application of STEPS, with all that was saved on the way."""

    handlers: ScriptedHandlers
    saved: list[tuple[Outcome, ...]] = field(default_factory=list)
    clock: ManualClock = field(default_factory=ManualClock)
    progress: RecordedProgress = field(default_factory=RecordedProgress)

    held_for: int | None = None
    """Before how many steps the lock is still held."""

    def check_lock(self) -> None:
        if len(self.handlers.performed) == self.held_for:
            raise ConflictError("lock-lost", "somebody else changes it")

    def apply(self) -> Applied:
        plan = Plan(key=KEY, steps=STEPS, changes=(), observed_at="t", revision=2, previous=1, endpoint=None)
        return Interpreter(
            handlers=self.handlers,
            save=self.saved.append,
            clock=self.clock,
            progress=self.progress,
            check_lock=self.check_lock,
        ).apply(plan)


def failure() -> UnhealthyError:
    return UnhealthyError("smoke-test-failed", "it does not answer")


def test_steps_are_done_in_order_and_saved_one_by_one() -> None:
    run = Run(handlers=ScriptedHandlers())
    applied = run.apply()
    assert run.handlers.performed == [step.type for step in STEPS]
    assert [len(outcomes) for outcomes in run.saved] == [1, 2, 3, 4, 5]
    assert applied.failure is None
    assert [outcome.facts for outcome in applied.outcomes] == [(("seen", n),) for n in range(5)]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_failure_before_the_new_state_stands_takes_everything_back_in_reverse(index: int) -> None:
    error = failure()
    run = Run(handlers=ScriptedHandlers(script={STEPS[index].type: [error]}))
    applied = run.apply()
    assert applied.failure is error
    assert run.handlers.undone == [step.type for step in reversed(STEPS[: index + 1])]
    assert run.handlers.performed == [step.type for step in STEPS[: index + 1]]
    assert run.saved[-1] == applied.outcomes
    assert applied.outcomes[index].error_code == "smoke-test-failed"


@pytest.mark.parametrize("index", [3, 4])
def test_failure_after_it_stands_is_collected_and_the_rest_is_done(index: int) -> None:
    error = failure()
    run = Run(handlers=ScriptedHandlers(script={STEPS[index].type: [error]}))
    applied = run.apply()
    assert applied.failure is None
    assert applied.late_failures == (error,)
    assert run.handlers.undone == []
    assert run.handlers.performed == [step.type for step in STEPS]


def test_step_that_had_nothing_to_do_is_skipped_with_its_reason_and_the_rest_is_done() -> None:
    run = Run(handlers=ScriptedHandlers(skipped=frozenset({"StartRevision"})))
    applied = run.apply()
    skipped = applied.outcomes[1]
    assert (skipped.status, skipped.facts) == (OutcomeStatus.SKIPPED, (("reason", "nothing to do"),))
    assert {one.status for one in applied.outcomes if one is not skipped} == {OutcomeStatus.DONE}
    assert run.progress.notes == ["skipped: nothing to do"]


@pytest.mark.parametrize("count", range(len(STEPS)))
def test_lock_that_is_lost_ends_it_before_the_next_step_and_nothing_is_taken_back(count: int) -> None:
    run = Run(handlers=ScriptedHandlers(), held_for=count)
    applied = run.apply()
    assert applied.failure is not None
    assert applied.failure.code == "lock-lost"
    assert run.handlers.performed == [step.type for step in STEPS[:count]]
    assert (len(applied.outcomes), run.handlers.undone) == (count, [])


def test_transient_failure_is_tried_again_after_a_pause() -> None:
    error = TransientError("docker-failed", "busy")
    run = Run(handlers=ScriptedHandlers(script={"StartRevision": [error, error]}))
    applied = run.apply()
    assert applied.failure is None
    assert run.handlers.performed.count("StartRevision") == 3
    assert run.clock.elapsed == pytest.approx(1.5)
    assert len(run.progress.notes) == 2


def test_transient_failure_that_stays_is_a_failure() -> None:
    error = TransientError("docker-failed", "busy")
    run = Run(handlers=ScriptedHandlers(script={"StartRevision": [error] * 3}))
    assert run.apply().failure is error
    assert run.handlers.performed.count("StartRevision") == 3


def test_interrupt_takes_everything_back_and_is_a_cancellation() -> None:
    run = Run(handlers=ScriptedHandlers(script={"ShiftTraffic": [KeyboardInterrupt()]}))
    applied = run.apply()
    assert applied.failure is not None
    assert (applied.failure.code, applied.failure.exit_code) == ("cancelled", 130)
    assert run.handlers.undone == ["ShiftTraffic", "StartRevision", "BuildImage"]


def test_defect_takes_everything_back_and_is_not_hidden() -> None:
    run = Run(handlers=ScriptedHandlers(script={"ShiftTraffic": [ZeroDivisionError()]}))
    with pytest.raises(ZeroDivisionError):
        run.apply()
    assert run.handlers.undone == ["ShiftTraffic", "StartRevision", "BuildImage"]


def test_defect_after_it_stands_leaves_the_new_state() -> None:
    run = Run(handlers=ScriptedHandlers(script={"StopRevision": [ZeroDivisionError()]}))
    with pytest.raises(ZeroDivisionError):
        run.apply()
    assert run.handlers.undone == []


def test_undo_that_fails_is_told_and_the_others_are_still_undone() -> None:
    handlers = ScriptedHandlers(
        script={"ShiftTraffic": [failure()]},
        undo_errors={"ShiftTraffic": UnavailableError("docker-unavailable", "gone")},
    )
    run = Run(handlers=handlers)
    applied = run.apply()
    assert handlers.undone == ["ShiftTraffic", "StartRevision", "BuildImage"]
    statuses = [outcome.status for outcome in applied.outcomes[3:]]
    assert statuses == [OutcomeStatus.FAILED, OutcomeStatus.UNDONE, OutcomeStatus.UNDONE]
    assert "gone" in run.progress.notes[0]


@given(st.dictionaries(st.sampled_from([step.type for step in STEPS]), st.integers(0, 4), max_size=5))
def test_what_was_begun_is_either_undone_or_stands(failing: dict[str, int]) -> None:
    """Whatever fails how often: every step before the first lasting failure is undone, or no step is."""
    script: dict[str, list[BaseException]] = {
        name: [TransientError("docker-failed", "busy") for _ in range(times)] for name, times in failing.items()
    }
    run = Run(handlers=ScriptedHandlers(script=script))
    applied = run.apply()
    lasting = [step for step in STEPS if failing.get(step.type, 0) >= 3]
    early = next((step for step in lasting if step.phase is not Phase.SETTLE), None)
    if early is None:
        assert run.handlers.undone == []
        assert len(applied.late_failures) == len(lasting)
    else:
        assert set(run.handlers.undone) == set(run.handlers.performed)
        assert run.handlers.performed[-1] == early.type
