"""Owns how an exception becomes a failure with a code and an exit code. Must not show anything."""

from __future__ import annotations

import traceback
from pathlib import Path

import typer

from dockyard.cli.root import MissingCommandError
from dockyard.domain.attempt import Failure
from dockyard.domain.errors import CancelledError, DockyardError, UsageError

_USAGE_ERRORS = typer.BadParameter.__mro__[1:3]
"""Click's UsageError and ClickException, wherever this Typer has them from."""


def describe_error(error: BaseException) -> tuple[Failure, int]:
    """Return what is told of an exception, and the exit code."""
    known = _translate(error)
    return Failure.of(known), known.exit_code


def _translate(error: BaseException) -> DockyardError:
    if isinstance(error, DockyardError):
        return error
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return CancelledError("cancelled", "interrupted", hint="the same command again completes or repeats it")
    if isinstance(error, MissingCommandError):
        return UsageError("usage", f"`{error.path}` needs a command", hint=f"`{error.path} --help` lists them")
    if isinstance(error, _USAGE_ERRORS):
        return _translate_usage(error)
    return _translate_defect(error)


def _translate_usage(error: BaseException) -> UsageError:
    message = str(error.format_message()) if hasattr(error, "format_message") else str(error)
    path = getattr(getattr(error, "ctx", None), "command_path", "dockyard")
    return UsageError("usage", message.rstrip("."), hint=f"see `{path} --help`")


def _translate_defect(error: BaseException) -> DockyardError:
    """Say what kind of exception it was and where, not its text: that may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    hint = "this is a defect of Dockyard; run again with `-v` and report what it prints"
    return DockyardError("internal-error", f"unexpected {type(error).__name__}{where}", hint=hint)
