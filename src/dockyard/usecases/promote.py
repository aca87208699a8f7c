"""Owns `promote`: the alias that is called as the environment is pointed at the model version that serves there."""

from __future__ import annotations

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UsageError
from dockyard.domain.result import PromoteResult, ResultStatus
from dockyard.usecases.observe import require_serving
from dockyard.usecases.sync import flush_queue
from dockyard.usecases.workbench import Workbench


def promote(bench: Workbench, key: DeploymentKey) -> PromoteResult:
    """Point the environment's alias at what serves; unchanged where it points there.

    Raises UsageError `usage` for a model that is not registered.
    """
    model = require_serving(bench, key)[1].spec.model
    if model.name is None or model.version is None:
        raise UsageError("usage", f"the model of {key} is not registered, so no alias can point at it")
    flush_queue(bench)  # an alias that waits there is older than this one
    before = bench.registry.find_alias(model.name, key.environment)
    if before != model.version:
        bench.writer.set_alias(model.name, key.environment, model.version)
    return PromoteResult(
        status=ResultStatus.UNCHANGED if before == model.version else ResultStatus.PROMOTED,
        key=key,
        model=model,
        alias=key.environment,
        version=model.version,
        previous_version=before,
    )
