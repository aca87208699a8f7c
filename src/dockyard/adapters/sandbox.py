"""Owns the sandbox of this user as a daemon: starting, finding and ending it, and what a killed one has left.

Must not import the sandbox itself to do so: only the daemon does, and the clean-up after one that was killed.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from dockyard.adapters.local.daemon import end_holder, find_holder
from dockyard.adapters.local.logfile import read_log
from dockyard.adapters.local.ports import take_port
from dockyard.adapters.local.programs import start_program
from dockyard.domain.errors import NotFoundError, UnavailableError

PID_FILE = "pid"
STATE_FILE = "state.json"
SETTINGS_FILE = "settings.json"
_LOG_FILE = "log"
_PROGRAM = "dockyard.adapters.sandbox_program"
_GRACE_SECONDS = 60.0
_START_SECONDS = 30.0
_POLL_SECONDS = 0.05
_HOST = "127.0.0.1"
_ENGINE_VARIABLES = ("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")
SandboxRunner = Literal["auto", "docker", "unpacked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSetup:
    """How a sandbox is to be. `port` 0 is any free one.

    `speed` is how many of AWS's seconds pass in one of ours, `startup_speed` the same for what a container has for its start.
    """

    port: int
    runner: SandboxRunner
    region: str
    speed: float
    startup_speed: float
    containers: int
    cache: str
    """The folder that keeps unpacked images and compiled code for the next sandbox."""
    engine: Mapping[str, str] = field(default_factory=dict)
    """The variables that say where the Docker engine is."""
    sandbox_id: str = field(default_factory=lambda: secrets.token_hex(6))


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxState:
    """A sandbox that is up."""

    url: str
    runner: str
    sandbox_id: str
    environment: Mapping[str, str]
    """What AWS's clients need. None of it is a secret: the sandbox checks no signature."""


def find_engine_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that say where the Docker engine is: a daemon sees little else of its starter's environment."""
    return {name: environ[name] for name in _ENGINE_VARIABLES if name in environ}


class SandboxDaemon:
    """The one sandbox whose files lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self) -> SandboxState | None:
        """The sandbox that is up now, or None. Waits for one that somebody is starting."""
        deadline = time.monotonic() + _START_SECONDS
        while find_holder(self._folder / PID_FILE) is not None and time.monotonic() < deadline:
            state = _read_state(self._folder / STATE_FILE)
            if state is not None:
                return state
            time.sleep(_POLL_SECONDS)
        return None

    def require(self) -> SandboxState:
        """The sandbox that is up now. Raises NotFoundError `sandbox-not-up`."""
        state = self.find()
        if state is None:
            raise NotFoundError("sandbox-not-up", "no sandbox is up", hint="start one with `dockyard sandbox up`")
        return state

    def start(self, setup: SandboxSetup) -> tuple[SandboxState, bool]:
        """The sandbox that is up, started if there was none; and whether it was started now.

        Raises `dependency-missing`, `port-in-use`, `sandbox-failed`.
        """
        with self._alone():
            present = self.find()
            return (present, False) if present is not None else (self._start(setup), True)

    def _start(self, setup: SandboxSetup) -> SandboxState:
        _require_moto()
        self._stop()
        take_port(_HOST, setup.port).close()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._folder / SETTINGS_FILE).write_text(json.dumps(asdict(setup)))
        log = self._folder / _LOG_FILE
        start_program(_PROGRAM, (str(self._folder),), folder=self._folder, log=log)
        state = self.find()
        if state is None:
            details = tuple(read_log(log, tail=20))
            self._stop()
            raise UnavailableError("sandbox-failed", "the sandbox did not start", details=details)
        return state

    def stop(self) -> bool:
        """End the sandbox and remove everything that it has left, or that one that was killed has; whether one was up."""
        with self._alone():
            return self._stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody else starts or ends the sandbox: who ends it removes the folder that a start writes to."""
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _stop(self) -> bool:
        was_up = find_holder(self._folder / PID_FILE) is not None
        end_holder(self._folder / PID_FILE, grace_seconds=_GRACE_SECONDS)
        state = _read_state(self._folder / STATE_FILE)
        if state is not None:
            from dockyard_sandbox.local_cloud import clean_up

            address = state.url.partition("//")[2]
            clean_up(self._folder / "data", state.sandbox_id, address, has_engine=state.runner == "docker")
        shutil.rmtree(self._folder, ignore_errors=True)
        return was_up


def write_state(path: Path, state: SandboxState) -> None:
    """Say that a sandbox is up."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(state)))
    partial.replace(path)


def _read_state(path: Path) -> SandboxState | None:
    try:
        return SandboxState(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def _require_moto() -> None:
    if importlib.util.find_spec("moto") is None:
        raise UnavailableError(
            "dependency-missing",
            "the sandbox needs the package moto, which is not installed",
            hint="install Dockyard with the extra: `pip install 'dockyard[sandbox]'`",
        )
