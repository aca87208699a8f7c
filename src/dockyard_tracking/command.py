"""The command line of the image: `serve` (the default), `migrate`, `gc`, `archive-traces`, and `s3-key`, which boto3 runs.

Owns arguments and exit codes.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import logging.config
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from dockyard_tracking.errors import TrackingError
from dockyard_tracking.logs import describe_logging
from dockyard_tracking.settings import Settings, read_settings

_LOG = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code."""
    command = _parse(arguments)
    logging.config.dictConfig(dict(describe_logging()))
    try:
        _COMMANDS[command](read_settings(os.environ))
    except TrackingError as error:
        _LOG.error("%s: %s %s", error.code, error.message, error.hint)
        return error.exit_code
    return 0


def _parse(arguments: Sequence[str]) -> str:
    parser = argparse.ArgumentParser(prog="dockyard_tracking", description="MLflow's tracking server, and its database.")
    parser.add_argument("command", nargs="?", default="serve", choices=list(_COMMANDS))
    return str(parser.parse_args(list(arguments)).command)


def _serve(settings: Settings) -> None:
    from dockyard_tracking.server import serve

    serve(settings)


def _migrate(settings: Settings) -> None:
    from dockyard_tracking.migrate import migrate

    with _signed_in(settings):
        _LOG.info("The database is at head now." if migrate(settings) else "The database was at head: nothing to do.")


def _collect_garbage(settings: Settings) -> None:
    from dockyard_tracking.upkeep import collect_garbage

    with _signed_in(settings):
        collect_garbage(settings)


def _archive_traces(settings: Settings) -> None:
    from dockyard_tracking.upkeep import archive_traces

    with _signed_in(settings):
        archive_traces(settings)


@contextlib.contextmanager
def _signed_in(settings: Settings) -> Iterator[None]:
    """Within it, connections of this process have their password."""
    from dockyard_tracking.database import choose_supplier, install_supplier

    uninstall = install_supplier(choose_supplier(settings.database))
    try:
        yield
    finally:
        uninstall()


def _print_s3_key(settings: Settings) -> None:
    from dockyard_tracking.s3 import render_key

    if settings.s3_credentials is None:
        raise TrackingError("bad-setting", "DOCKYARD_TRACKING_S3_CREDENTIALS is not set.")
    sys.stdout.write(render_key(settings.s3_credentials, datetime.now(timezone.utc)))


_COMMANDS = {
    "serve": _serve,
    "migrate": _migrate,
    "gc": _collect_garbage,
    "archive-traces": _archive_traces,
    "s3-key": _print_s3_key,
}
