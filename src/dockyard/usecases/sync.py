"""Owns `sync`: registry entries that had to wait are sent."""

from __future__ import annotations

from dockyard.domain.attempt import Failure, RegistryEntry
from dockyard.domain.errors import DockyardError
from dockyard.domain.result import SyncedEntry, SyncResult
from dockyard.usecases.workbench import Workbench


def sync_queue(bench: Workbench) -> SyncResult:
    """Send all entries, oldest first; one that cannot be sent does not keep the others back."""
    sent: list[SyncedEntry] = []
    pending: list[SyncedEntry] = []
    failures = [*bench.queue.list_damaged()]
    for entry in bench.queue.list_entries():
        try:
            run_id = _send(bench, entry)
        except DockyardError as error:
            pending.append(_describe(entry, None))
            failures.append(Failure.of(error))
        else:
            sent.append(_describe(entry, run_id))
    return SyncResult(sent=tuple(sent), pending=tuple(pending), failures=tuple(failures))


def flush_queue(bench: Workbench) -> None:
    """Send what waits, as far as the registry takes it, before something newer is written."""
    result = sync_queue(bench)
    if result.pending:
        bench.progress.note(f"{len(result.pending)} earlier record(s) still wait; `dockyard sync` sends them")


def _send(bench: Workbench, entry: RegistryEntry) -> str | None:
    run_id = bench.writer.write_entry(entry)
    if entry.alias is not None:
        bench.writer.set_alias(entry.alias.name, entry.alias.alias, entry.alias.version)
    bench.queue.delete_entry(entry.attempt.id)
    return run_id


def _describe(entry: RegistryEntry, run_id: str | None) -> SyncedEntry:
    return SyncedEntry(attempt_id=entry.attempt.id, key=entry.attempt.key, registry=entry.registry or "folder", run_id=run_id)
