"""Owns how the results of commands that take care of things look: `drift`, `doctor`, `gc`, `sync`."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.cli.text import clean_text, count_of, format_size, format_table
from dockyard.cli.views.plan import plan_lines
from dockyard.cli.views.view import View, note_lines
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.result import (
    DeploymentDrift,
    DoctorResult,
    DriftResult,
    GcResult,
    ResultStatus,
    SyncResult,
)


def view_drift(result: DriftResult) -> View:
    """stdout: per deployment that has drifted its findings and the plan that would bring it back."""
    if not result.has_drifted:
        told = f"no drift in {count_of(len(result.deployments), 'deployment')}"
        return View(status="done", err=(*note_lines(result.notes), told))
    drifted = [one for one in result.deployments if one.has_drifted]
    told = f"{len(drifted)} of {count_of(len(result.deployments), 'deployment')} drifted"
    out = tuple(line for one in drifted for line in _drift_lines(one))
    return View(status="drifted", out=out, err=(*note_lines(result.notes), told), exit_code=4)


def view_doctor(result: DoctorResult) -> View:
    """stdout: one line a finding, with its remedy below."""
    out = tuple(line for finding in result.findings for line in _finding_lines(finding))
    errors = sum(finding.severity is Severity.ERROR for finding in result.findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in result.findings)
    told = f"{count_of(errors, 'error')}, {count_of(warnings, 'warning')}"
    status = "unhealthy" if result.has_errors else "done"
    return View(status=status, out=out, err=(told,), exit_code=1 if result.has_errors else 0)


def view_gc(result: GcResult) -> View:
    """stdout: what was removed, or with `--plan` would be."""
    rows = [(one.kind, one.name, None if one.size_bytes is None else format_size(one.size_bytes)) for one in result.items]
    out = format_table(("KIND", "NAME", "SIZE"), rows) if rows else ()
    if result.status is ResultStatus.PLANNED:
        told = f"{count_of(len(rows), 'thing')} would be removed; nothing was changed"
    else:
        told = (
            f"removed {count_of(len(rows), 'thing')}, freed {format_size(result.freed_bytes)}" if rows else "nothing to remove"
        )
    return View(status=result.status.value, out=out, err=(*note_lines(result.notes), told))


def view_sync(result: SyncResult) -> View:
    """stdout: the attempts whose records were sent, and those that still wait."""
    rows = [(str(one.key), "sent", one.attempt_id, one.run_id) for one in result.sent]
    rows += [(str(one.key), "waiting", one.attempt_id, None) for one in result.pending]
    out = format_table(("DEPLOYMENT", "RECORD", "ATTEMPT", "RUN"), rows) if rows else ()
    told = f"sent {count_of(len(result.sent), 'record')}, {len(result.pending)} still waiting" if rows else "nothing to send"
    if not result.failures:
        return View(status="done", out=out, err=(told,))
    return View(status="partial" if result.sent else "failed", out=out, err=(told,), exit_code=3 if result.sent else 1)


def _drift_lines(drift: DeploymentDrift) -> Iterator[str]:
    yield f"{drift.key} has drifted"
    for finding in drift.findings:
        if finding.severity is not Severity.OK:
            yield from (f"  {line}" for line in _finding_lines(finding))
    if drift.plan is not None and not drift.plan.is_empty:
        yield from (f"  {line}" if line else "" for line in plan_lines(drift.plan))


def _finding_lines(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.value:<9}{finding.code}: {clean_text(finding.message)}"
    if finding.remedy:
        yield f"{'':<9}remedy: {clean_text(finding.remedy)}"
