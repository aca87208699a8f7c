"""Owns a tracking stack that is embedded in this machine: one server under supervision, an SQLite file and folders.

The server is `dockyard_tracking`, as in the image; it is started as a program and never imported.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from dockyard.adapters.local.daemon import end_holder, find_holder
from dockyard.adapters.local.logfile import read_log
from dockyard.adapters.local.ports import take_port
from dockyard.adapters.local.programs import start_program
from dockyard.domain.errors import UnavailableError
from dockyard.domain.stack import StackLook, StackWish

PID_FILE, LOG_FILE, SETTINGS_FILE = "pid", "log", "settings.json"
_PROGRAM = "dockyard.adapters.stack.embedded_program"
_HOST = "127.0.0.1"
_READY_SECONDS = 180.0
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 30.0
_NEEDED = ("mlflow.server", "alembic", "sqlalchemy", "uvicorn")


class EmbeddedStack:
    """The stack whose files lie in a folder: `data` is what MLflow keeps, `backups` what is kept of it."""

    def __init__(self, folder: Path, wish: StackWish) -> None:
        self._folder = folder
        self._wish = wish

    def start(self) -> None:
        """Migrate and start the server, unless it runs. Raises `dependency-missing`, `port-in-use`, `stack-failed`."""
        if self.look().is_ready:
            return
        _require_server()
        self.remove(with_data=False)
        take_port(_HOST, self._wish.port).close()
        (self._folder / "data/artifacts").mkdir(parents=True, exist_ok=True)
        self.run("migrate", "")
        (self._folder / SETTINGS_FILE).write_text(json.dumps(self._variables), encoding="utf-8")
        start_program(_PROGRAM, (str(self._folder),), folder=self._folder, log=self._log)
        deadline = time.monotonic() + _READY_SECONDS
        while not self.look().is_ready:
            if not self.look().is_up or time.monotonic() > deadline:
                details = self.read_logs(20)
                self.remove(with_data=False)
                raise UnavailableError("stack-failed", "the tracking server did not become ready", details=details)
            time.sleep(_POLL_SECONDS)

    def look(self) -> StackLook:
        """Whether it runs and answers."""
        is_up = find_holder(self._folder / PID_FILE) is not None
        url = f"http://{_HOST}:{self._wish.port}"
        if not is_up:
            return StackLook(is_up=False, is_ready=False, notes=(f"its files are in {self._folder}",))
        return StackLook(is_up=True, is_ready=answers(f"{url}/ready"), url=url, environment={"MLFLOW_TRACKING_URI": url})

    def run(self, command: str, backup: str) -> Mapping[str, object]:
        """Run a command of the server's. Raises UnavailableError `stack-failed`."""
        arguments = [sys.executable, "-m", "dockyard_tracking", command, *(("--backup", backup) if backup else ())]
        ended = subprocess.run(
            arguments, env={**os.environ, **self._variables}, capture_output=True, text=True, check=False, cwd=self._folder
        )
        if ended.returncode != 0:
            details = tuple(ended.stderr.splitlines()[-20:])
            raise UnavailableError("stack-failed", f"`{command}` failed: {find_reason(details)}", details=details)
        answer: Mapping[str, object] = json.loads(ended.stdout) if ended.stdout else {}
        return answer

    def read_logs(self, tail: int) -> tuple[str, ...]:
        """The last lines of the server's log."""
        return tuple(read_log(self._log, tail=tail)) if self._log.exists() else ()

    def remove(self, *, with_data: bool) -> None:
        """Stop the server; `with_data` remove what it kept, too."""
        end_holder(self._folder / PID_FILE, grace_seconds=_GRACE_SECONDS)
        if with_data:
            shutil.rmtree(self._folder / "data", ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._folder / LOG_FILE

    @property
    def _variables(self) -> Mapping[str, str]:
        said = {
            "DATABASE_DIALECT": "sqlite",
            "DATABASE_NAME": str(self._folder / "data/mlflow.db"),
            "ARTIFACTS": str(self._folder / "data/artifacts"),
            "BACKUP_PLACE": str(self._folder / "backups"),
            "HOST": _HOST,
            "PORT": str(self._wish.port),
        }
        return {f"DOCKYARD_TRACKING_{name}": value for name, value in said.items()}


def find_reason(lines: tuple[str, ...]) -> str:
    """What the server's log says last, which is one JSON object a line."""
    for line in reversed(lines):
        try:
            return str(json.loads(line)["message"])
        except (ValueError, KeyError, TypeError):
            continue
    return lines[-1] if lines else "it said nothing"


def answers(url: str) -> bool:
    """Whether a server of this machine says that it is well."""
    try:
        urlopen(url, timeout=5).close()  # noqa: S310 - a loopback address of ours
    except (URLError, OSError):
        return False
    return True


def _require_server() -> None:
    if not all(_is_there(module) for module in _NEEDED):
        raise UnavailableError(
            "dependency-missing",
            "an embedded stack needs MLflow's server, which is not installed",
            hint="install Dockyard with the extra: `pip install 'dockyard[local]'`",
        )


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
