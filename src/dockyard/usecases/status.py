"""Owns the looks at what is and was: `status`, `history`, `logs`."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.domain.deployment import DeploymentKey, Revision
from dockyard.domain.errors import DockyardError, UnavailableError
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import HistoryResult, StatusResult, StatusRow
from dockyard.usecases.observe import find_record, require_deployment, require_serving
from dockyard.usecases.site import Site
from dockyard.usecases.workbench import Workbench


def describe_status(bench: Workbench, environment: str | None, name: str | None) -> StatusResult:
    """Describe all deployments, those of one environment, or one; the registry may be away, which a note then says.

    Raises what is wrong with an environment only where that one is asked for; where all are, it is a note.
    """
    notes: set[str] = set()
    sites = bench.sites.list() if environment is None else (bench.sites.find(environment),)
    passed_over = DockyardError if environment is None else UnavailableError
    keys = [key for site in sites for key in _list_deployments(site, passed_over, notes)]
    wanted = [key for key in keys if environment in {None, key.environment} and name in {None, key.name}]
    rows = tuple(_describe_row(bench, key, notes) for key in wanted)
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
    return bench.sites.find(key.environment).read_logs(key, number, follow=follow, tail=tail)


def _list_deployments(site: Site, passed_over: type[DockyardError], notes: set[str]) -> tuple[DeploymentKey, ...]:
    """A place that does not answer keeps no other from being shown."""
    try:
        return site.list_deployments()
    except passed_over as error:
        notes.add(error.message)
        return ()


def _describe_row(bench: Workbench, key: DeploymentKey, notes: set[str]) -> StatusRow:
    seen = bench.sites.find(key.environment).describe(key)
    serving = seen.serving_revision
    return StatusRow(
        key=key,
        state=seen.state,
        endpoint=seen.endpoint_name,
        revision=seen.serving,
        revisions=tuple(one.number for one in seen.revisions if one.has_served),
        model=serving.spec.model if serving else None,
        image=serving.image if serving else None,
        capacity=seen.capacity,
        since=seen.serving_since,
        is_recorded=_is_recorded(bench, key, serving, notes) if serving else None,
    )


def _is_recorded(bench: Workbench, key: DeploymentKey, serving: Revision, notes: set[str]) -> bool | None:
    try:
        record = find_record(bench, key, serving.spec.model)
    except DockyardError as error:
        notes.add(f"the registry could not be asked: {error.message}")
        return None
    return record is not None and record.status is RecordStatus.SERVING and record.revision == serving.number
