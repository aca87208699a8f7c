"""Owns how a plan is carried out and recorded; shared by deploy, rollback and delete."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dockyard.apply.interpreter import Applied, Interpreter
from dockyard.apply.steps import Build
from dockyard.domain.attempt import Attempt, Failure
from dockyard.domain.errors import DockyardError, PartialError
from dockyard.domain.plan import Outcome, Plan
from dockyard.domain.result import DeployResult, ResultStatus
from dockyard.planning.recording import redact_plan
from dockyard.usecases.observe import list_recorded
from dockyard.usecases.record import Recorder, find_digest
from dockyard.usecases.site import Planned
from dockyard.usecases.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A plan with what carrying it out and recording it need."""

    attempt: Attempt
    planned: Planned
    build: Build | None = None

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return self.planned.plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """How it went, when the new state stands."""

    outcomes: tuple[Outcome, ...] = ()
    failures: tuple[Failure, ...] = ()


def execute_plan(bench: Workbench, execution: Execution) -> Executed:
    """Apply a plan and write down what happened, whatever happened.

    Raises the failure that ended it, after everything was taken back and the failure recorded.
    """
    recorder = make_recorder(bench, execution)
    key = execution.plan.key
    handlers = bench.sites.find(key.environment).make_handlers(bench, key, recorder, execution.build)
    recorder.save_outcomes(())
    interpreter = Interpreter(
        handlers=handlers,
        save=recorder.save_outcomes,
        clock=bench.clock,
        progress=bench.progress,
        check_lock=lambda: bench.locks.check(key),
    )
    applied = interpreter.apply(execution.plan)
    if applied.failure is not None:
        record_failure(bench, recorder, applied.failure, applied.outcomes)
        raise applied.failure
    recorder.close_journal(applied.outcomes, is_partial=bool(applied.late_failures))
    return Executed(outcomes=applied.outcomes, failures=_late_failures(applied))


def describe_result(bench: Workbench, planned: Planned, status: ResultStatus, executed: Executed | None = None) -> DeployResult:
    """Return the result of a plan that brings a deployment to a revision, before or after it is carried out."""
    plan, spec = planned.plan, planned.spec
    if spec is None:
        raise TypeError("a deployment that is taken away has another result")
    done = executed or Executed()
    return DeployResult(
        status=ResultStatus.PARTIAL if done.failures else status,
        key=plan.key,
        endpoint=plan.endpoint,
        revision=plan.revision,
        previous=plan.previous,
        model=spec.model,
        image=find_digest(bench.images, planned, done.outcomes),
        plan=plan,
        outcomes=done.outcomes,
        notes=plan.notes if executed else (),
        failures=done.failures,
    )


def make_recorder(bench: Workbench, execution: Execution) -> Recorder:
    """Return the recorder of an execution, its attempt completed with what the plan decided."""
    attempt = dataclasses.replace(
        execution.attempt,
        plan=redact_plan(execution.plan),
        revision=execution.plan.revision,
        previous=execution.plan.previous,
        endpoint=execution.plan.endpoint,
    )
    return Recorder(
        attempt=attempt,
        writer=bench.writer,
        queue=bench.queue,
        journal=bench.journal,
        images=bench.images,
        clock=bench.clock,
        planned=execution.planned,
        list_claiming=lambda: list_recorded(bench, execution.planned.seen),
    )


def record_failure(bench: Workbench, recorder: Recorder, error: DockyardError, outcomes: tuple[Outcome, ...]) -> None:
    """Record a failure; a record that has to wait is told, and does not hide the failure itself."""
    try:
        recorder.write_failure(error, outcomes)
    except PartialError as pending:
        bench.progress.note(f"{pending.message}; {pending.hint}")


def _late_failures(applied: Applied) -> tuple[Failure, ...]:
    return tuple(Failure.of(_as_partial(error)) for error in applied.late_failures)


def _as_partial(error: DockyardError) -> DockyardError:
    if isinstance(error, PartialError):
        return error
    return PartialError(
        "cleanup-failed",
        f"the new state stands, but not all that belongs to it is done: {error.message}",
        hint=error.hint or "`dockyard gc` removes what is left; the same command again completes it",
        details=error.details,
    )
