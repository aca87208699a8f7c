"""The command line of the image: `serve` (the default), `migrate`, upkeep, what is about backups, and `s3-key` for boto3.

Owns arguments, exit codes, and stdout, where commands about backups write one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import logging.config
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from dockyard_tracking.errors import TrackingError
from dockyard_tracking.logs import describe_logging
from dockyard_tracking.settings import Settings, read_settings

_LOG = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code."""
    command, backup = _parse(arguments)
    logging.config.dictConfig(dict(describe_logging()))
    try:
        settings = read_settings(os.environ)
        if command in _BACKUP_COMMANDS:
            _run_backup_command(command, settings, backup)
        else:
            _COMMANDS[command](settings)
    except TrackingError as error:
        _LOG.error("%s: %s %s", error.code, error.message, error.hint)
        return error.exit_code
    return 0


def _parse(arguments: Sequence[str]) -> tuple[str, str]:
    """The command, and the backup that it is about; empty is the newest."""
    parser = argparse.ArgumentParser(prog="dockyard_tracking", description="MLflow's tracking server, and its database.")
    parser.add_argument("command", nargs="?", default="serve", choices=[*_COMMANDS, *_BACKUP_COMMANDS])
    parser.add_argument("--backup", default="", metavar="ID", help="of `restore` and `verify`: which one; else the newest")
    parsed = parser.parse_args(list(arguments))
    return str(parsed.command), str(parsed.backup)


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


def _run_backup_command(command: str, settings: Settings, backup: str) -> None:
    from dockyard_tracking.s3 import describe_environment

    with _signed_in(settings), tempfile.TemporaryDirectory() as scratch:
        if settings.s3_credentials:
            os.environ.update(describe_environment(Path(scratch)))
        sys.stdout.write(json.dumps(_BACKUP_COMMANDS[command](settings, backup)) + "\n")


def _take(settings: Settings, _backup: str) -> object:
    from dockyard_tracking.backup.take import take_backup

    return take_backup(settings, datetime.now(timezone.utc))


def _restore(settings: Settings, backup: str) -> object:
    from dockyard_tracking.backup.restore import restore_backup

    return restore_backup(settings, backup)


def _verify(settings: Settings, backup: str) -> object:
    from dockyard_tracking.backup.verify import verify_backup

    return verify_backup(settings, backup)


def _list(settings: Settings, _backup: str) -> object:
    from dockyard_tracking.backup.take import describe_backup
    from dockyard_tracking.backup.vault import open_vault

    with open_vault(settings.backup) as vault:
        return {"backups": [describe_backup(one) for one in vault.list_backups()]}


_COMMANDS = {
    "serve": _serve,
    "migrate": _migrate,
    "gc": _collect_garbage,
    "archive-traces": _archive_traces,
    "s3-key": _print_s3_key,
}
_BACKUP_COMMANDS = {"backup": _take, "restore": _restore, "verify": _verify, "backups": _list}
