"""Owns how the results of commands that only look are shown: `status`, `history`, `predict`, `build`, `render`."""

from __future__ import annotations

import json

from dockyard.cli.text import clean_text, format_seconds, format_size, format_table, format_time
from dockyard.cli.views.view import View, note_lines
from dockyard.domain.attempt import Attempt
from dockyard.domain.result import (
    BuildResult,
    HistoryResult,
    LogsResult,
    PredictResult,
    RenderResult,
    ResultStatus,
    StatusResult,
    StatusRow,
)

_RECORDED = {True: "yes", False: "no", None: None}


def view_status(result: StatusResult) -> View:
    """stdout: a table, one deployment a line."""
    if not result.rows:
        return View(status="done", err=(*note_lines(result.notes), "there is no deployment"))
    head = ("DEPLOYMENT", "STATE", "REVISION", "MODEL", "RUNS ON", "ENDPOINT", "SINCE", "RECORDED")
    return View(
        status="done", out=format_table(head, [_status_cells(row) for row in result.rows]), err=note_lines(result.notes)
    )


def view_history(result: HistoryResult) -> View:
    """stdout: a table, one attempt a line, newest first."""
    if not result.attempts:
        return View(status="done", err=(*note_lines(result.notes), f"{result.key} has no history"))
    head = ("STARTED", "WHAT", "STATUS", "REVISION", "MODEL", "BY", "ERROR")
    return View(
        status="done", out=format_table(head, [_attempt_cells(one) for one in result.attempts]), err=note_lines(result.notes)
    )


def view_predict(result: PredictResult) -> View:
    """stdout: the answer, as JSON in one line."""
    answer = json.dumps(result.value, ensure_ascii=False)
    return View(status="done", out=(answer,), err=(f"{result.endpoint} answered in {format_seconds(result.seconds)}",))


def view_build(result: BuildResult) -> View:
    """stdout: the digest."""
    verb = "unchanged: the image is there already" if result.status is ResultStatus.UNCHANGED else result.status.value
    told = f"{verb}, {format_size(result.size_bytes)}, {result.builder.value} builder ({result.reason})"
    proof = () if result.has_proof else ("note: the model has no input example, so the image is not proved to answer",)
    return View(status=result.status.value, out=(result.image,), err=(*proof, *note_lines(result.notes), clean_text(told)))


def view_render(result: RenderResult) -> View:
    """stdout: the folder."""
    files = (*(f"wrote {path}" for path in result.written), *(f"removed {path}" for path in result.removed))
    told = f"{result.status.value}: revision {result.revision} of {result.key}, {result.model.title}, {result.image}"
    return View(status=result.status.value, out=(result.folder,), err=(*files, *note_lines(result.notes), clean_text(told)))


def view_logs(result: LogsResult) -> View:
    """stdout: the lines."""
    return View(status="done", out=result.lines)


def _status_cells(row: StatusRow) -> tuple[str | None, ...]:
    return (
        str(row.key),
        row.state.value,
        str(row.revision) if row.revision is not None else None,
        row.model.title if row.model else None,
        row.capacity,
        row.endpoint,
        format_time(row.since),
        _RECORDED[row.is_recorded],
    )


def _attempt_cells(attempt: Attempt) -> tuple[str | None, ...]:
    return (
        format_time(attempt.started),
        attempt.kind.value,
        attempt.status.value,
        str(attempt.revision) if attempt.revision is not None else None,
        attempt.model.title if attempt.model else None,
        attempt.actor,
        attempt.failure.code if attempt.failure else None,
    )
