"""Owns `batch`: a model answers for objects on S3, by a job that leaves nothing but the answers, and its history."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass

from dockyard.apply.interpreter import Applied, Facts, Interpreter
from dockyard.apply.sagemaker_batch import BatchHandlers
from dockyard.apply.steps import Build
from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus, Failure, RegistryEntry
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DetachedError, DockyardError, PartialError
from dockyard.domain.image import BuiltImage
from dockyard.domain.plan import Outcome, Plan, Step, WriteRecord
from dockyard.domain.request import BatchRequest, SageMakerDeployRequest
from dockyard.domain.result import BatchResult, ResultStatus
from dockyard.domain.sagemaker import SageMakerSpec
from dockyard.domain.sagemaker_batch import ObservedBatch, TransformJob, derive_job_key
from dockyard.domain.sagemaker_batch_steps import CleanUpJobs, StartTransform, WaitTransform
from dockyard.planning.recording import redact_plan
from dockyard.planning.sagemaker_batch import WantedBatch, derive_wanted_stem, name_job, plan_batch
from dockyard.ports_batch import JobSupplies, TransformJobs
from dockyard.usecases.record import write_or_queue
from dockyard.usecases.site_sagemaker import SageMakerSite
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDesk:
    """What jobs need beside a workbench: the site whose deployments their models would be, and the account's jobs."""

    site: SageMakerSite
    jobs: TransformJobs
    supplies: JobSupplies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A plan with what it was made from."""

    plan: Plan
    job: str
    job_key: DeploymentKey
    """What the job is locked and journalled as."""
    wanted: WantedBatch
    image: BuiltImage | None
    build: Build


def run_batch(
    bench: Workbench,
    desk: BatchDesk,
    request: BatchRequest,
    *,
    plan_only: bool,
    approve: Callable[[Plan], None] | None = None,
) -> BatchResult:
    """Run a job, or with `plan_only` say what that would take and change nothing.

    The deployment of the job's name is locked until the job has started, and not while it runs; the job itself is, as long as
    somebody waits for it. Raises what the site refuses, what resolving and building raise, and UnhealthyError `batch-failed`
    for a job that does not complete; nothing of it is left then.
    """
    key = request.deploy.key
    with ExitStack() as of_job:
        with nullcontext() if plan_only else bench.locks.hold(key, bench.actor, request.deploy.lock_wait_seconds):
            planned = _plan(bench, desk, request)
            if plan_only:
                return _describe(request, planned, ResultStatus.PLANNED)
            of_job.enter_context(bench.locks.hold(planned.job_key, bench.actor, request.deploy.lock_wait_seconds))
            bench.close_interrupted(planned.job_key, deployment=key)
            if planned.plan.is_empty:
                return _describe(request, planned, ResultStatus.UNCHANGED)
            if approve is not None:
                approve(planned.plan)
            run = _begin(bench, desk, key, planned)
            begun = run.apply()
        done = run.finish(begun)
    status = ResultStatus.DONE if request.waits else ResultStatus.STARTED
    return _describe(request, planned, status, done)


def _begin(bench: Workbench, desk: BatchDesk, key: DeploymentKey, planned: _Planned) -> _Run:
    flush_queue(bench)
    attempt = dataclasses.replace(
        bench.begin_attempt(key, AttemptKind.BATCH), model=planned.wanted.spec.model, plan=redact_plan(planned.plan)
    )
    handlers = _make_handlers(bench, desk, key, planned.build)
    return _Run(bench=bench, attempt=attempt, planned=planned, handlers=handlers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One job on its way."""

    bench: Workbench
    attempt: Attempt
    planned: _Planned
    handlers: BatchHandlers

    def apply(self) -> Applied:
        """Do the steps until the job has started. Raises what ended them, after it is recorded."""
        self._save(())
        applied = self._interpret(self._split()[0], self.attempt.key)
        if applied.failure is not None:
            self._record_failure(applied.failure, applied.outcomes)
            raise applied.failure
        return applied

    def finish(self, begun: Applied) -> Applied:
        """Do the steps that follow when the job has started, and record how it went."""
        later = self._split()[1]
        try:
            applied = self._interpret(later, self.planned.job_key, begun.outcomes)
        except Exception:  # a defect or a full disk, which no step foresees
            self._clean_up(later)
            raise
        outcomes = (*begun.outcomes, *applied.outcomes)
        if applied.failure is not None:
            if not isinstance(applied.failure, DetachedError):
                self._clean_up(later)
            self._record_failure(applied.failure, outcomes)
            raise applied.failure
        late = (*begun.late_failures, *applied.late_failures)
        status = AttemptStatus.PARTIAL if late else AttemptStatus.SUCCEEDED
        try:
            self._record(status, outcomes)
        except PartialError as pending:
            late = (*late, pending)
        return Applied(outcomes=outcomes, late_failures=late)

    def _split(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps until the job has started, and those that follow."""
        steps = self.planned.plan.steps
        later = next((number for number, step in enumerate(steps) if isinstance(step, WaitTransform)), len(steps))
        return steps[:later], steps[later:]

    def _interpret(self, steps: tuple[Step, ...], lock: DeploymentKey, before: tuple[Outcome, ...] = ()) -> Applied:
        interpreter = Interpreter(
            handlers=self.handlers,
            save=lambda outcomes: self._save((*before, *outcomes)),
            clock=self.bench.clock,
            progress=self.bench.progress,
            check_lock=lambda: self.bench.locks.check(lock),
        )
        return interpreter.apply(dataclasses.replace(self.planned.plan, steps=steps))

    def _save(self, outcomes: tuple[Outcome, ...]) -> None:
        self._keep(dataclasses.replace(self.attempt, outcomes=outcomes))

    def _keep(self, attempt: Attempt) -> None:
        """In the journal, where a job is by itself: deployments have other attempts while it runs."""
        self.bench.journal.save_attempt(dataclasses.replace(attempt, key=self.planned.job_key))

    def _clean_up(self, later: tuple[Step, ...]) -> None:
        for step in later:
            if isinstance(step, CleanUpJobs):
                try:
                    self.handlers.perform(step, ())
                except DockyardError as error:
                    self.bench.progress.note(f"could not {step.describe()}: {error.message}")

    def _record_failure(self, error: DockyardError, outcomes: tuple[Outcome, ...]) -> None:
        status = AttemptStatus.INTERRUPTED if error.code == "cancelled" else AttemptStatus.FAILED
        try:
            self._record(status, outcomes, Failure.of(error))
        except PartialError as pending:
            self.bench.progress.note(f"{pending.message}; {pending.hint}")

    def _record(self, status: AttemptStatus, outcomes: tuple[Outcome, ...], failure: Failure | None = None) -> None:
        """Write the history run, or queue it. No tag of the model version says more afterwards: no deployment has changed."""
        attempt = dataclasses.replace(
            self.attempt, status=status, outcomes=outcomes, failure=failure, finished=self.bench.now()
        )
        entry = RegistryEntry(attempt=attempt, registry=attempt.model.registry if attempt.model else None)
        try:
            write_or_queue(self.bench.writer, self.bench.queue, entry)
        finally:
            self._keep(attempt)


class _NoRecord:
    """Jobs' plans have no WriteRecord: a job changes no deployment."""

    def write_success(self, step: WriteRecord, outcomes: tuple[Outcome, ...]) -> Facts:
        """Refuse."""
        del outcomes
        raise TypeError(f"{step.type} is no step of a batch transform job")


def _plan(bench: Workbench, desk: BatchDesk, request: BatchRequest) -> _Planned:
    deploy = desk.site.prepare(request.deploy)
    _check(desk, request, deploy)
    with bench.progress.begin(f"resolve {deploy.ref}"):
        model = bench.registry.resolve_model(deploy.ref)
    on_instances = dataclasses.replace(deploy.settings, capacity=request.settings.instances)
    with bench.progress.begin("lock the requirements and look up the base image"):
        image_settings = desk.site.choose_image(dataclasses.replace(deploy, settings=on_instances), model.version.python)
        recipe = bench.images.describe_recipe(model, image_settings)
    spec = SageMakerSpec(model=model.version.identity, fingerprint=recipe.fingerprint, settings=deploy.settings)
    wanted = WantedBatch(
        spec=spec,
        builder=recipe.builder,
        builder_reason=recipe.reason,
        input=request.input,
        output=request.output,
        settings=request.settings,
        waits=request.waits,
    )
    seen = _observe(bench, desk, deploy.key, wanted)
    return _Planned(
        plan=_tell_cost(desk, plan_batch(deploy.key, wanted, seen), request),
        job=name_job(deploy.key, wanted, seen),
        job_key=derive_job_key(deploy.key, derive_wanted_stem(deploy.key, wanted)),
        wanted=wanted,
        image=seen.image,
        build=Build(recipe=recipe, model=model),
    )


def _tell_cost(desk: BatchDesk, plan: Plan, request: BatchRequest) -> Plan:
    """The plan with what the job costs, where it would start one."""
    if not any(isinstance(step, StartTransform) for step in plan.steps):
        return plan
    cost = desk.site.ports.preflight.describe_job_cost(request.settings.instances)
    return plan if cost is None else dataclasses.replace(plan, notes=(*plan.notes, cost))


def _check(desk: BatchDesk, request: BatchRequest, deploy: SageMakerDeployRequest) -> None:
    """Refuse what the service would not take, before anything is looked up."""
    settings = deploy.settings
    job = TransformJob(
        name="job",
        model="model",
        input=request.input,
        output=request.output,
        settings=request.settings,
        kms_key=settings.kms_key,
        tags=settings.tags,
    )
    desk.supplies.check_job(deploy.key, job)


def _observe(bench: Workbench, desk: BatchDesk, key: DeploymentKey, wanted: WantedBatch) -> ObservedBatch:
    return ObservedBatch(
        deployment=desk.site.describe(key),
        image=bench.images.find_image(wanted.spec.fingerprint),
        jobs=desk.jobs.list_jobs(derive_wanted_stem(key, wanted)),
        models=desk.supplies.list_models(key),
        taken_at=bench.now(),
    )


def _make_handlers(bench: Workbench, desk: BatchDesk, key: DeploymentKey, build: Build) -> BatchHandlers:
    deployment = desk.site.make_handlers(bench, key, _NoRecord(), build)
    return BatchHandlers(
        key=key,
        deployment=deployment,
        find_image=deployment.find_image,
        jobs=desk.jobs,
        supplies=desk.supplies,
        clock=bench.clock,
        progress=bench.progress,
    )


def _describe(request: BatchRequest, planned: _Planned, status: ResultStatus, done: Applied | None = None) -> BatchResult:
    failures = tuple(Failure.of(error) for error in done.late_failures) if done else ()
    return BatchResult(
        status=ResultStatus.PARTIAL if failures else status,
        key=request.deploy.key,
        job=planned.job,
        output=request.output,
        model=planned.wanted.spec.model,
        image=planned.image.digest if planned.image else None,
        plan=planned.plan,
        outcomes=done.outcomes if done else (),
        notes=planned.plan.notes if done else (),
        failures=failures,
    )
