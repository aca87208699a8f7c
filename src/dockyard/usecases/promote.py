"""Owns `promote`: what stands beside the serving revision takes over, and the alias that is called as the environment is
pointed at the model version that serves there.
"""

from __future__ import annotations

import dataclasses

from dockyard.domain.attempt import AttemptKind
from dockyard.domain.deployment import DeploymentKey, Revision
from dockyard.domain.errors import UsageError
from dockyard.domain.observed import ObservedDeployment
from dockyard.domain.result import PromoteResult, ResultStatus
from dockyard.usecases.execute import Execution, execute_plan
from dockyard.usecases.observe import require_deployment, require_serving
from dockyard.usecases.site import Keep
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench


def promote(bench: Workbench, key: DeploymentKey) -> PromoteResult:
    """Point the environment's alias at what serves, or is to take over; unchanged where it points there.

    Raises UsageError `usage` for a model that is not registered.
    """
    seen = require_deployment(bench, key)
    model = (_find_trial(seen) or require_serving(bench, key)[1]).spec.model
    if model.name is None or model.version is None:
        raise UsageError("usage", f"the model of {key} is not registered, so no alias can point at it")
    has_taken_over = _find_trial(seen) is not None and _take_over(bench, key)
    flush_queue(bench)  # an alias that waits there is older than this one
    before = bench.registry.find_alias(model.name, key.environment)
    if before != model.version:
        bench.writer.set_alias(model.name, key.environment, model.version)
    is_changed = has_taken_over or before != model.version
    return PromoteResult(
        status=ResultStatus.PROMOTED if is_changed else ResultStatus.UNCHANGED,
        key=key,
        model=model,
        alias=key.environment,
        version=model.version,
        previous_version=before,
    )


def _find_trial(seen: ObservedDeployment) -> Revision | None:
    return seen.find_revision(seen.trial_number)


def _take_over(bench: Workbench, key: DeploymentKey) -> bool:
    """Give what stands beside all requests, and roll the deployment itself to it; returns whether there was anything to do."""
    with bench.locks.hold(key, bench.actor, 0.0):
        seen = require_deployment(bench, key)
        trial = _find_trial(seen)
        if trial is None:
            return False
        keep = Keep(history_limit=len(seen.revisions) + 1, promotes=True)
        planned = bench.sites.find(key.environment).plan_revision(bench, key, trial.number, keep)
        bench.close_interrupted(key)
        attempt = dataclasses.replace(bench.begin_attempt(key, AttemptKind.DEPLOY), model=trial.spec.model)
        executed = execute_plan(bench, Execution(attempt=attempt, planned=planned))
        for failure in executed.failures:
            bench.progress.note(failure.message)
        return True
