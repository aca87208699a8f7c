"""Owns `rollback`: a plan whose wanted state is an earlier revision of the deployment itself."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext

from dockyard.domain.attempt import AttemptKind, AttemptStatus
from dockyard.domain.deployment import Revision
from dockyard.domain.request import RollbackRequest
from dockyard.domain.result import DeployResult, ResultStatus
from dockyard.planning.revisions import choose_rollback
from dockyard.usecases.execute import Execution, describe_result, execute_plan
from dockyard.usecases.observe import require_deployment
from dockyard.usecases.site import Keep
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench


def roll_back(bench: Workbench, request: RollbackRequest, *, plan_only: bool) -> DeployResult:
    """Bring an earlier revision back, proved like any other before it gets traffic; where one stands beside the serving one,
    take that away.

    Raises NotFoundError `deployment-not-found`, `no-revision`.
    """
    lock = nullcontext() if plan_only else bench.locks.hold(request.key, bench.actor, request.lock_wait_seconds)
    with lock:
        revision = _choose(bench, request)
        keep = Keep(history_limit=request.history_limit, smoke_requests=request.smoke_requests)
        planned = bench.sites.find(request.key.environment).plan_revision(bench, request.key, revision.number, keep)
        if plan_only:
            return describe_result(bench, planned, ResultStatus.PLANNED)
        bench.close_interrupted(request.key)
        flush_queue(bench)
        if planned.plan.is_empty:
            return describe_result(bench, planned, ResultStatus.UNCHANGED)
        attempt = dataclasses.replace(bench.begin_attempt(request.key, AttemptKind.ROLLBACK), model=revision.spec.model)
        executed = execute_plan(bench, Execution(attempt=attempt, planned=planned))
        return describe_result(bench, planned, ResultStatus.ROLLED_BACK, executed)


def _choose(bench: Workbench, request: RollbackRequest) -> Revision:
    """The revision to go back to. A rollback that was killed when it had moved the traffic is completed, none further begun."""
    seen = require_deployment(bench, request.key)
    begun, serving = bench.journal.find_attempt(request.key), seen.serving_revision
    is_begun = begun is not None and (begun.status, begun.kind) == (AttemptStatus.RUNNING, AttemptKind.ROLLBACK)
    aimed_at = begun.revision if begun is not None and is_begun else None
    if serving is not None and serving.number == aimed_at and request.number in {None, aimed_at}:
        return serving
    if serving is not None and seen.trial_number is not None and request.number in {None, serving.number}:
        return serving  # what stands beside it is taken away
    return choose_rollback(seen, request.number)
