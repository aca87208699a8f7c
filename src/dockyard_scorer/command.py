"""The scorer's command line: `serve` (the default) and `prove --output FILE --measured FILE`.

Owns arguments and exit codes. Exit code 2: wrong arguments or settings, nothing was started.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from dockyard_scorer.environment import prepare_environment
from dockyard_scorer.logs import EventLog, capture_library_logs
from dockyard_scorer.settings import Settings, SettingsError, read_settings

EXIT_USAGE = 2


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code."""
    chosen = _parse(arguments)
    # As process 1 of a container a signal without handler would be ignored; uvicorn's own comes some imports later.
    signal.signal(signal.SIGTERM, _end)
    log = EventLog()
    prepare_environment()
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        log.error("bad-setting", message=str(error))
        return EXIT_USAGE
    code = _run(chosen, settings, log)
    if threading.active_count() > 1:
        from dockyard_scorer.server import exit_now

        exit_now(code)
    return code


def _run(chosen: argparse.Namespace, settings: Settings, log: EventLog) -> int:
    library_logs = capture_library_logs(log)
    if chosen.command == "prove":
        from dockyard_scorer.prove import Outputs, prove

        outputs = Outputs(proof=chosen.output, measured=chosen.measured)
        return prove(settings, outputs, log=log, library_logs=library_logs)
    from dockyard_scorer.server import serve

    return serve(settings, log=log, library_logs=library_logs)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scorer", description="Serves the MLflow model of this image.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="answer requests (the default)")
    prove = commands.add_parser("prove", help="write the model's answer to its own input example")
    prove.add_argument("--output", type=Path, required=True, metavar="FILE")
    prove.add_argument("--measured", type=Path, required=True, metavar="FILE", help="memory and time that it took, as JSON")
    return parser.parse_args(list(arguments))


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
