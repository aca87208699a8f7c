"""Owns `delete`: a deployment is taken away, and its record says so."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext

from dockyard.domain.attempt import AttemptKind
from dockyard.domain.request import DeleteRequest
from dockyard.domain.result import DeleteResult, ResultStatus
from dockyard.usecases.execute import Execution, execute_plan
from dockyard.usecases.observe import require_there
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench


def delete_deployment(bench: Workbench, request: DeleteRequest, *, plan_only: bool) -> DeleteResult:
    """Close the endpoint, end and forget all revisions, record that. Images in the local store stay until `gc`.

    Raises NotFoundError `deployment-not-found`.
    """
    lock = nullcontext() if plan_only else bench.locks.hold(request.key, bench.actor, request.lock_wait_seconds)
    with lock:
        planned = bench.sites.find(request.key.environment).plan_delete(bench, request.key)
        require_there(bench, planned.seen)
        if plan_only:
            return DeleteResult(status=ResultStatus.PLANNED, key=request.key, plan=planned.plan)
        bench.close_interrupted(request.key)
        flush_queue(bench)
        attempt = bench.begin_attempt(request.key, AttemptKind.DELETE)
        attempt = dataclasses.replace(attempt, model=planned.spec.model if planned.spec else None)
        executed = execute_plan(bench, Execution(attempt=attempt, planned=planned))
        status = ResultStatus.PARTIAL if executed.failures else ResultStatus.DELETED
        return DeleteResult(
            status=status, key=request.key, plan=planned.plan, outcomes=executed.outcomes, failures=executed.failures
        )
