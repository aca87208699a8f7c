"""Owns `deploy local`: a model reference becomes a revision that has proved itself and serves."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from dataclasses import dataclass

from dockyard.apply.local import Build
from dockyard.domain.attempt import Attempt, AttemptKind
from dockyard.domain.deployment import DeploymentKey, RevisionSpec, Runtime
from dockyard.domain.errors import CancelledError, DockyardError, UsageError
from dockyard.domain.image import DEFAULT_BASE, HOST_BASE, ImageRecipe, ImageSettings
from dockyard.domain.observed import Observed
from dockyard.domain.plan import Plan
from dockyard.domain.request import DeployRequest
from dockyard.domain.result import DeployResult, ResultStatus
from dockyard.planning.local import WantedLocal, endpoint_url, plan_local
from dockyard.ports import ResolvedModel
from dockyard.usecases.execute import Execution, describe_result, execute_plan, make_recorder, record_failure
from dockyard.usecases.observe import observe_local
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench

_PORT_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """A plan with what it was made from."""

    plan: Plan
    observed: Observed
    spec: RevisionSpec
    recipe: ImageRecipe


def deploy_local(bench: Workbench, request: DeployRequest, *, plan_only: bool) -> DeployResult:
    """Bring a model into service under the request's key, or with `plan_only` say what that would take and change nothing.

    Raises UsageError `port-in-use` before anything is looked up, what resolving and building raise, and UnhealthyError for a
    revision that does not prove itself; the old revision then serves as before.
    """
    runtime = bench.machine.choose_runtime(request.settings.runtime)
    request = dataclasses.replace(request, settings=dataclasses.replace(request.settings, runtime=runtime))
    lock = nullcontext() if plan_only else bench.locks.hold(request.key, bench.actor, request.lock_wait_seconds)
    with lock:
        check_port(bench, request.key, request.port)
        model = _resolve(bench, request)
        if plan_only:
            decided = _decide(bench, request, model)
            status = ResultStatus.UNCHANGED if decided.plan.is_empty else ResultStatus.PLANNED
            return describe_result(bench, decided.plan, decided.spec, status)
        bench.close_interrupted(request.key)
        return _deploy_on_some_port(bench, request, model)


def check_port(bench: Workbench, key: DeploymentKey, port: int | None) -> None:
    """Refuse a port that some other program has. Raises UsageError `port-in-use`."""
    if port is None or bench.host.describe_deployment(key).port == port or bench.machine.is_port_free(port):
        return
    raise UsageError(
        "port-in-use",
        f"another program listens on port {port}",
        hint="choose another with `--port`, or leave it out for the first free one; `dockyard status` shows who has which",
    )


def choose_image_settings(settings: ImageSettings, runtime: Runtime | None) -> ImageSettings:
    """Decide the base: none for an image that runs under the host's Python, unless the user names one."""
    if settings.base is not None:
        return settings
    return dataclasses.replace(settings, base=HOST_BASE if runtime is Runtime.PROCESS else DEFAULT_BASE)


def _resolve(bench: Workbench, request: DeployRequest) -> ResolvedModel:
    with bench.progress.begin(f"resolve {request.ref}"):
        return bench.registry.resolve_model(request.ref)


def _deploy_on_some_port(bench: Workbench, request: DeployRequest, model: ResolvedModel) -> DeployResult:
    """Deploy; where a free port was chosen for a new deployment and is taken before it is used, choose another."""
    for _ in range(_PORT_TRIES - 1):
        try:
            return _deploy(bench, request, model)
        except UsageError as error:
            has_port = request.port is not None or bench.host.describe_deployment(request.key).port is not None
            if error.code != "port-in-use" or has_port:
                raise
            bench.progress.note(f"{error.message} since a moment ago; choosing another one")
    return _deploy(bench, request, model)


def _deploy(bench: Workbench, request: DeployRequest, model: ResolvedModel) -> DeployResult:
    attempt = dataclasses.replace(bench.begin_attempt(request.key, AttemptKind.DEPLOY), model=model.version.identity)
    flush_queue(bench)
    try:
        decided = _decide(bench, request, model)
    except KeyboardInterrupt as interrupt:
        error = CancelledError("cancelled", "interrupted while the image's recipe was worked out")
        _record_undecided(bench, attempt, error)
        raise error from interrupt
    except DockyardError as error:
        _record_undecided(bench, attempt, error)
        raise
    if decided.plan.is_empty:
        return describe_result(bench, decided.plan, decided.spec, ResultStatus.UNCHANGED)
    executed = execute_plan(
        bench,
        Execution(
            attempt=dataclasses.replace(attempt, endpoint=endpoint_url(decided.plan.port) if decided.plan.port else None),
            plan=decided.plan,
            spec=decided.spec,
            previous=decided.observed.local.serving_revision,
            build=Build(recipe=decided.recipe, model=model),
        ),
    )
    status = ResultStatus.PARTIAL if executed.failures else ResultStatus.DEPLOYED
    result = describe_result(bench, decided.plan, decided.spec, status)
    return dataclasses.replace(result, outcomes=executed.outcomes, failures=executed.failures)


def _decide(bench: Workbench, request: DeployRequest, model: ResolvedModel) -> _Decided:
    settings = choose_image_settings(request.image, request.settings.runtime)
    with bench.progress.begin("lock the requirements and look up the base image"):
        recipe = bench.images.describe_recipe(model, settings)
    spec = RevisionSpec(model=model.version.identity, fingerprint=recipe.fingerprint, settings=request.settings)
    alias = request.key.environment if request.promote else None
    observed = observe_local(bench, request.key, spec, alias)
    wanted = WantedLocal(
        spec=spec,
        builder=recipe.builder,
        builder_reason=recipe.reason,
        port=request.port,
        alias=alias,
        history_limit=request.history_limit,
        smoke_requests=request.smoke_requests,
    )
    return _Decided(plan=plan_local(request.key, wanted, observed), observed=observed, spec=spec, recipe=recipe)


def _record_undecided(bench: Workbench, attempt: Attempt, error: DockyardError) -> None:
    """Record an attempt that failed before it had a plan: requirements that cannot be met, a base that is not there."""
    local = bench.host.describe_deployment(attempt.key)
    plan = Plan(
        key=attempt.key, steps=(), changes=(), observed_at=bench.now(), revision=None, previous=local.serving, port=local.port
    )
    execution = Execution(attempt=attempt, plan=plan, spec=None, previous=local.serving_revision)
    record_failure(bench, make_recorder(bench, execution), error, ())
