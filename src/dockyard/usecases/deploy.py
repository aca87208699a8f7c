"""Owns `deploy`: a model reference becomes a revision that has proved itself and serves, whatever the target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

from dockyard.apply.steps import Build
from dockyard.domain.attempt import Attempt, AttemptKind
from dockyard.domain.errors import CancelledError, DockyardError
from dockyard.domain.image import ImageRecipe
from dockyard.domain.plan import Plan, WriteRecord
from dockyard.domain.record import RecordStatus
from dockyard.domain.request import DeployRequest
from dockyard.domain.result import DeployResult, ResultStatus
from dockyard.ports import ResolvedModel
from dockyard.usecases.execute import Execution, describe_result, execute_plan, make_recorder, record_failure
from dockyard.usecases.site import Planned, Site
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench

_TRIES = 3


def deploy(
    bench: Workbench, request: DeployRequest, *, plan_only: bool, approve: Callable[[Plan], None] | None = None
) -> DeployResult:
    """Bring a model into service under the request's key, or with `plan_only` say what that would take and change nothing.

    `approve` is shown the plan before anything is done, and raises where it shall not be.

    Raises what the site refuses before the model is looked up, what resolving and building raise, and UnhealthyError for a
    revision that does not prove itself; the old revision then serves as before.
    """
    site = bench.sites.find(request.key.environment)
    lock = nullcontext() if plan_only else bench.locks.hold(request.key, bench.actor, request.lock_wait_seconds)
    with lock:
        request = site.prepare(request)
        with bench.progress.begin(f"resolve {request.ref}"):
            model = bench.registry.resolve_model(request.ref)
        if plan_only:
            planned, _ = _plan(bench, site, request, model)
            status = ResultStatus.UNCHANGED if planned.plan.is_empty else ResultStatus.PLANNED
            return describe_result(bench, planned, status)
        bench.close_interrupted(request.key)
        return _deploy_again_where_stale(_Deploy(bench, site, request, model, approve))


class _Deploy(NamedTuple):
    """One deploy with all that it needs."""

    bench: Workbench
    site: Site
    request: DeployRequest
    model: ResolvedModel
    approve: Callable[[Plan], None] | None


def _deploy_again_where_stale(asked: _Deploy) -> DeployResult:
    for _ in range(_TRIES - 1):
        try:
            return _deploy(asked)
        except DockyardError as error:
            if not asked.site.shall_plan_again(asked.request, error):
                raise
            asked.bench.progress.note(f"{error.message}, since a moment ago; planning again")
    return _deploy(asked)


def _deploy(asked: _Deploy) -> DeployResult:
    bench, site, request, model, approve = asked
    attempt = dataclasses.replace(bench.begin_attempt(request.key, AttemptKind.DEPLOY), model=model.version.identity)
    flush_queue(bench)
    try:
        planned, recipe = _plan(bench, site, request, model)
    except KeyboardInterrupt as interrupt:
        error = CancelledError("cancelled", "interrupted while the image's recipe was worked out")
        _record_undecided(bench, site, attempt, error)
        raise error from interrupt
    except DockyardError as error:
        _record_undecided(bench, site, attempt, error)
        raise
    if planned.plan.is_empty:
        return describe_result(bench, planned, ResultStatus.UNCHANGED)
    if approve is not None:
        approve(planned.plan)
    execution = Execution(attempt=attempt, planned=planned, build=Build(recipe=recipe, model=model))
    return describe_result(bench, planned, _find_status(planned.plan), execute_plan(bench, execution))


def _find_status(plan: Plan) -> ResultStatus:
    """Whoever does not wait has not deployed yet: nothing has been proved. A trial that is over has deployed nothing."""
    statuses = {step.status for step in plan.steps if isinstance(step, WriteRecord)}
    if RecordStatus.SUPERSEDED in statuses:
        return ResultStatus.DONE
    return ResultStatus.STARTED if RecordStatus.DEPLOYING in statuses else ResultStatus.DEPLOYED


def _plan(bench: Workbench, site: Site, request: DeployRequest, model: ResolvedModel) -> tuple[Planned, ImageRecipe]:
    with bench.progress.begin("lock the requirements and look up the base image"):
        settings = site.choose_image(request, model.version.python)
        recipe = bench.images.describe_recipe(model, settings)
    return site.plan_deploy(bench, request, model, recipe), recipe


def _record_undecided(bench: Workbench, site: Site, attempt: Attempt, error: DockyardError) -> None:
    """Record an attempt that failed before it had a plan: requirements that cannot be met, a base that is not there."""
    seen = site.describe(attempt.key)
    plan = Plan(
        key=attempt.key,
        steps=(),
        changes=(),
        observed_at=bench.now(),
        revision=None,
        previous=seen.serving,
        endpoint=seen.endpoint_name,
    )
    execution = Execution(attempt=attempt, planned=Planned(plan=plan, seen=seen, spec=None))
    record_failure(bench, make_recorder(bench, execution), error, ())
