"""Owns the two console scripts and the one place that catches everything: every end of a call is an exit code here.

0 done, 1 failed, 2 wrong usage or configuration, 3 partial, 4 drift or changes found, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup
from typer.main import get_command

from dockyard.cli.root import MissingCommandError
from dockyard.cli.session import ReaderGoneError, Session

if TYPE_CHECKING:
    from dockyard.cli.kit import Kit, OpenKit
    from dockyard.domain.settings import Settings

_OK, _FAILED = 0, 1
_COLLECTIONS = (50_000, 20, 20)
"""When garbage is collected: going through all that SDKs make when they are imported took an eighth of a command's time."""


def main(arguments: Sequence[str] | None = None, *, open_kit: OpenKit | None = None) -> int:
    """Run `dockyard`; return the exit code."""
    from dockyard.cli.app import app

    return _run(app, "dockyard", sys.argv[1:] if arguments is None else arguments, open_kit or _open_kit)


def main_deploy(arguments: Sequence[str] | None = None, *, open_kit: OpenKit | None = None) -> int:
    """Run `deploy`, which is `dockyard deploy`; return the exit code."""
    from dockyard.cli.commands.deploy import deploy_app

    return _run(deploy_app, "deploy", sys.argv[1:] if arguments is None else arguments, open_kit or _open_kit)


def _open_kit(settings: Settings) -> Kit:
    from dockyard.wiring import open_kit

    return open_kit(settings)


def _run(app: typer.Typer, program: str, arguments: Sequence[str], open_kit: OpenKit) -> int:
    gc.set_threshold(*_COLLECTIONS)
    command = _make_command(app)
    if not isinstance(command, TyperGroup):
        raise TypeError("the console scripts are groups of commands")
    session = Session(
        command=_find_verb(command, program, arguments),
        as_json="--json" in arguments,
        is_verbose=not {"-v", "--verbose"}.isdisjoint(arguments),
        open_kit=open_kit,
        stdin=sys.stdin,
        out=sys.stdout,
        err=sys.stderr,
        folder=_find_folder(),
        environ=os.environ,
    )
    try:
        with _terminate_as_interrupt():
            return _invoke(command, program, arguments, session)
    except ReaderGoneError:
        return _FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place that catches all
        return _tell(error, session)


_make_command = lru_cache(get_command)
"""Of one app always the same: making it takes longer than many a command of a process that runs several."""


def _invoke(command: TyperGroup, program: str, arguments: Sequence[str], session: Session) -> int:
    if f"_{program.upper()}_COMPLETE" in session.environ:
        command.main(list(arguments), prog_name=program)
    try:
        with command.make_context(program, list(arguments), obj=session) as context:
            code = command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else _OK


def _tell(error: BaseException, session: Session) -> int:
    from dockyard.cli.failure import describe_error
    from dockyard.cli.render import show_aside, show_failure

    failure, exit_code = describe_error(error)
    try:
        if isinstance(error, MissingCommandError) and not session.as_json:
            show_aside(error.help_text + "\n", session)  # all that there is to say: the commands to choose from
            return exit_code
        if session.is_verbose:
            show_aside("".join(traceback.format_exception(error)), session)
        return show_failure(failure, session, exit_code)
    except ReaderGoneError:
        return exit_code


def _find_verb(command: object, program: str, arguments: Sequence[str]) -> str:
    """The names of the commands that the arguments begin with, for errors that are found before one runs."""
    names = [program] if program == "deploy" else []
    for one in arguments:
        inner = getattr(command, "commands", {})
        if one in inner:
            names.append(one)
            command = inner[one]
        elif not one.startswith("-"):
            break
    return " ".join(names)


def _find_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed under us
        return Path("/")


@contextlib.contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM take back what was begun, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
