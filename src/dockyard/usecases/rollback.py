"""Owns `rollback`: a plan whose wanted state is an earlier revision of the deployment itself."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext

from dockyard.domain.attempt import AttemptKind
from dockyard.domain.deployment import Revision
from dockyard.domain.image import BuilderKind
from dockyard.domain.observed import Observed
from dockyard.domain.plan import Plan
from dockyard.domain.request import RollbackRequest
from dockyard.domain.result import DeployResult, ResultStatus
from dockyard.planning.local import WantedLocal, choose_rollback, endpoint_url, plan_local
from dockyard.usecases.execute import Execution, describe_result, execute_plan
from dockyard.usecases.observe import observe_local, require_deployment
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench


def roll_back(bench: Workbench, request: RollbackRequest, *, plan_only: bool) -> DeployResult:
    """Bring an earlier revision back, proved like any other before it gets traffic.

    Raises NotFoundError `deployment-not-found`, `no-revision`.
    """
    lock = nullcontext() if plan_only else bench.locks.hold(request.key, bench.actor, request.lock_wait_seconds)
    with lock:
        local = require_deployment(bench, request.key)
        revision = choose_rollback(local, request.number)
        observed = observe_local(bench, request.key, revision.spec, None)
        plan = plan_local(request.key, _want(revision, request), observed)
        if plan_only:
            return describe_result(bench, plan, revision.spec, ResultStatus.PLANNED)
        bench.close_interrupted(request.key)
        flush_queue(bench)
        return _execute(bench, plan, revision, observed)


def _want(revision: Revision, request: RollbackRequest) -> WantedLocal:
    return WantedLocal(
        spec=revision.spec,
        builder=BuilderKind.AUTO,
        builder_reason="the image of the earlier revision is gone",
        history_limit=request.history_limit,
        smoke_requests=request.smoke_requests,
    )


def _execute(bench: Workbench, plan: Plan, revision: Revision, observed: Observed) -> DeployResult:
    attempt = dataclasses.replace(
        bench.begin_attempt(plan.key, AttemptKind.ROLLBACK),
        model=revision.spec.model,
        endpoint=endpoint_url(plan.port) if plan.port else None,
    )
    execution = Execution(attempt=attempt, plan=plan, spec=revision.spec, previous=observed.local.serving_revision)
    executed = execute_plan(bench, execution)
    status = ResultStatus.PARTIAL if executed.failures else ResultStatus.ROLLED_BACK
    result = describe_result(bench, plan, revision.spec, status)
    return dataclasses.replace(result, outcomes=executed.outcomes, failures=executed.failures)
