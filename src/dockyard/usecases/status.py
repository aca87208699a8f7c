"""Owns the looks at what is and was: `status`, `history`, `logs`."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.domain.deployment import DeploymentKey, Revision, RevisionStatus
from dockyard.domain.errors import DockyardError
from dockyard.domain.observed import ObservedLocal
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import DeploymentState, HistoryResult, StatusResult, StatusRow
from dockyard.planning.local import endpoint_url
from dockyard.usecases.observe import find_record, require_deployment, require_serving
from dockyard.usecases.workbench import Workbench


def describe_status(bench: Workbench, environment: str | None, name: str | None) -> StatusResult:
    """Describe all deployments, those of one environment, or one; the registry may be away, which a note then says."""
    keys = [
        key for key in bench.inventory.list_deployments() if environment in {None, key.environment} and name in {None, key.name}
    ]
    notes: set[str] = set()
    rows = tuple(_describe_row(bench, key, notes) for key in keys)
    return StatusResult(rows=rows, notes=tuple(sorted(notes)))


def describe_history(bench: Workbench, key: DeploymentKey, limit: int) -> HistoryResult:
    """The newest attempts at a deployment, those that wait for `sync` included."""
    waiting = tuple(entry.attempt for entry in bench.queue.list_entries() if entry.attempt.key == key)
    known = {attempt.id for attempt in waiting}
    written = tuple(attempt for attempt in bench.registry.list_attempts(key, limit) if attempt.id not in known)
    attempts = sorted((*waiting, *written), key=lambda attempt: attempt.started, reverse=True)
    notes = (f"{len(waiting)} of these are not in the registry yet; `dockyard sync` sends them",) if waiting else ()
    return HistoryResult(key=key, attempts=tuple(attempts[:limit]), notes=notes)


def read_logs(bench: Workbench, key: DeploymentKey, number: int | None, *, follow: bool, tail: int) -> Iterator[str]:
    """What a revision has logged: the one of that number, else the one that serves."""
    if number is None:
        number = require_serving(bench, key)[1].number
    else:
        require_deployment(bench, key)
    return bench.inventory.read_logs(key, number, follow=follow, tail=tail)


def _describe_row(bench: Workbench, key: DeploymentKey, notes: set[str]) -> StatusRow:
    local = bench.host.describe_deployment(key)
    serving = local.serving_revision
    return StatusRow(
        key=key,
        state=_describe_state(local),
        endpoint=endpoint_url(local.port) if local.port else None,
        revision=local.serving,
        revisions=tuple(one.number for one in local.revisions if one.has_served),
        model=serving.spec.model if serving else None,
        image=serving.image if serving else None,
        runtime=serving.spec.settings.runtime if serving else None,
        since=local.serving_since,
        is_recorded=_is_recorded(bench, key, serving, notes) if serving else None,
    )


def _describe_state(local: ObservedLocal) -> DeploymentState:
    serving = local.serving_revision
    if serving is None:
        return DeploymentState.EMPTY
    if serving.status is RevisionStatus.STARTING:
        return DeploymentState.STARTING
    is_up = serving.status is RevisionStatus.READY and local.is_forwarding
    return DeploymentState.SERVING if is_up else DeploymentState.DOWN


def _is_recorded(bench: Workbench, key: DeploymentKey, serving: Revision, notes: set[str]) -> bool | None:
    try:
        record = find_record(bench, key, serving.spec.model)
    except DockyardError as error:
        notes.add(f"the registry could not be asked: {error.message}")
        return None
    return record is not None and record.status is RecordStatus.SERVING and record.revision == serving.number
