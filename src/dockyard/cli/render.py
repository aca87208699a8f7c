"""Owns the one place that prints: a result or an error, for people or as one JSON document.

stdout gets the result only; everything about it goes to stderr. The JSON envelope is the same for success and failure:
{"schema", "command", "status", "exit_code", "result", "errors"}. See docs/reference/json-output.md.
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from typing_extensions import assert_never

from dockyard.cli.json_form import Json, to_json
from dockyard.cli.session import ReaderGoneError, Session
from dockyard.cli.views.care import view_doctor, view_drift, view_gc, view_sync
from dockyard.cli.views.change import view_batch, view_delete, view_deploy, view_promote
from dockyard.cli.views.configuration import view_config, view_schema, view_validation
from dockyard.cli.views.look import view_build, view_history, view_logs, view_predict, view_render, view_status
from dockyard.cli.views.sandbox import view_sandbox
from dockyard.cli.views.stack import view_stack
from dockyard.cli.views.view import View
from dockyard.domain.attempt import Failure
from dockyard.domain.result import (
    BatchResult,
    BuildResult,
    ConfigResult,
    DeleteResult,
    DeployResult,
    DoctorResult,
    DriftResult,
    GcResult,
    HistoryResult,
    LogsResult,
    PredictResult,
    PromoteResult,
    RenderResult,
    ResultStatus,
    SandboxResult,
    SchemaResult,
    StackLogsResult,
    StackResult,
    StatusResult,
    SyncResult,
    ValidationResult,
)

ENVELOPE_SCHEMA = 1
PARTIAL, CHANGES, INTERRUPTED = 3, 4, 130
_RED, _YELLOW = "31", "33"

ChangeResult = DeployResult | DeleteResult | PromoteResult | BatchResult
LookResult = StatusResult | HistoryResult | LogsResult | PredictResult | BuildResult | RenderResult
CareResult = DriftResult | DoctorResult | GcResult | SyncResult
ConfigurationResult = ConfigResult | SchemaResult | ValidationResult | SandboxResult | StackResult | StackLogsResult
_FALLIBLE = (DeployResult, DeleteResult, BatchResult, DriftResult, GcResult, SyncResult, RenderResult)
Result = ChangeResult | LookResult | CareResult | ConfigurationResult


def show_result(result: Result, session: Session, *, tells_changes: bool = False) -> int:
    """Print a result and return the exit code; with `tells_changes` a plan with changes is code 4."""
    failures = result.failures if isinstance(result, _FALLIBLE) else ()
    view = _finish(_view(result, session), result, failures, tells_changes=tells_changes)
    if session.as_json:
        _print(session.out, [_envelope(session.command, view, to_json(result), failures)])
        return view.exit_code
    for failure in failures:
        _print(session.err, failure_lines(failure, _paint("warning", _YELLOW, session)))
    _print(session.err, view.err)
    _print(session.out, view.out)
    return view.exit_code


def show_failure(failure: Failure, session: Session, exit_code: int) -> int:
    """Print an error and return its exit code."""
    status = "interrupted" if exit_code == INTERRUPTED else "failed"
    if session.as_json:
        _print(session.out, [_envelope(session.command, View(status=status, exit_code=exit_code), None, (failure,))])
    else:
        _print(session.err, failure_lines(failure, _paint("error", _RED, session)))
    return exit_code


def show_lines(lines: Iterable[str], session: Session) -> int:
    """Print lines on stdout one by one, as they come."""
    for line in lines:
        _print(session.out, [line])
    return 0


def show_aside(text: str, session: Session) -> None:
    """Print text on stderr as it is: help, a traceback, a question to the person at the terminal."""
    _write(session.err, text)


def failure_lines(failure: Failure, word: str) -> list[str]:
    """A failure as lines: what, more of it, and after an empty line what to do."""
    lines = [f"{word}[{failure.code}]: {failure.message}", *(f"  {detail}" for detail in failure.details)]
    return [*lines, "", f"hint: {failure.hint}"] if failure.hint else lines


def _view(result: Result, session: Session) -> View:
    if isinstance(result, DeployResult | DeleteResult | PromoteResult | BatchResult):
        return _view_change(result, session)
    if isinstance(result, StatusResult | HistoryResult | LogsResult | PredictResult | BuildResult | RenderResult):
        return _view_look(result)
    if isinstance(result, DriftResult | DoctorResult | GcResult | SyncResult):
        return _view_care(result)
    return _view_configuration(result)


def _view_change(result: ChangeResult, session: Session) -> View:
    match result:
        case DeployResult():
            return view_deploy(result, is_verbose=session.is_verbose)
        case DeleteResult():
            return view_delete(result, is_verbose=session.is_verbose)
        case PromoteResult():
            return view_promote(result)
        case BatchResult():
            return view_batch(result, is_verbose=session.is_verbose)
        case _:
            assert_never(result)


def _view_look(result: LookResult) -> View:
    match result:
        case StatusResult():
            return view_status(result)
        case HistoryResult():
            return view_history(result)
        case LogsResult():
            return view_logs(result)
        case PredictResult():
            return view_predict(result)
        case BuildResult():
            return view_build(result)
        case RenderResult():
            return view_render(result)
        case _:
            assert_never(result)


def _view_care(result: CareResult) -> View:
    match result:
        case DriftResult():
            return view_drift(result)
        case DoctorResult():
            return view_doctor(result)
        case GcResult():
            return view_gc(result)
        case SyncResult():
            return view_sync(result)
        case _:
            assert_never(result)


def _view_configuration(result: ConfigurationResult) -> View:
    match result:
        case ConfigResult():
            return view_config(result)
        case SchemaResult():
            return view_schema(result)
        case ValidationResult():
            return view_validation(result)
        case SandboxResult():
            return view_sandbox(result)
        case StackResult():
            return view_stack(result)
        case StackLogsResult():
            return View(status=ResultStatus.DONE.value, out=result.lines)
        case _:
            assert_never(result)


def _finish(view: View, result: Result, failures: tuple[Failure, ...], *, tells_changes: bool) -> View:
    """Let failures after the main thing, and changes that were asked about, show in status and exit code."""
    if failures and view.exit_code == 0:
        return dataclasses.replace(view, status=ResultStatus.PARTIAL.value, exit_code=PARTIAL)
    if (
        tells_changes
        and isinstance(result, DeployResult | DeleteResult | BatchResult)
        and result.status is ResultStatus.PLANNED
    ):
        return dataclasses.replace(view, exit_code=CHANGES)
    return view


def _envelope(command: str, view: View, result: Json, failures: tuple[Failure, ...]) -> str:
    envelope: Json = {
        "schema": ENVELOPE_SCHEMA,
        "command": command,
        "status": view.status,
        "exit_code": view.exit_code,
        "result": result,
        "errors": to_json(failures),
    }
    return json.dumps(envelope, indent=2)


def _paint(word: str, colour: str, session: Session) -> str:
    is_plain = not session.err.isatty() or session.environ.get("NO_COLOR") or session.environ.get("TERM") == "dumb"
    return word if is_plain else f"\x1b[1;{colour}m{word}\x1b[0m"


def _print(stream: TextIO, lines: Iterable[str]) -> None:
    """Write lines; a character that the stream's encoding lacks is written as JSON escapes it."""
    encoding = stream.encoding or "utf-8"
    _write(stream, "".join(f"{line}\n" for line in lines).encode(encoding, _ESCAPE).decode(encoding))


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(json.dumps(one)[1:-1] for one in error.object[error.start : error.end]), error.end


_ESCAPE = "dockyard-escape"
codecs.register_error(_ESCAPE, _escape)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError as error:
        _forget(stream)
        raise ReaderGoneError from error


def _forget(stream: TextIO) -> None:
    """Send what is still in the stream's buffer nowhere, or Python would complain about it at its end."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
