"""Owns the two files between a host and a supervisor: what to run, and how it is. Standard library only."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dockyard.adapters.files import write_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a supervisor runs. The scorer is told its port in the variable PORT."""

    command: tuple[str, ...]
    env: dict[str, str]
    """The whole environment, but for PORT."""
    cwd: str
    host: str
    grace_seconds: float
    first_pause_seconds: float = 0.5
    """Before the first restart; doubled for each further one."""
    log_bytes: int = 10 * 1024 * 1024
    """The log is set aside when it is larger; one old file is kept."""


class Phase(str, Enum):
    """How a supervised scorer is."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    """It ended before it was ever ready, and is not started again; or it has been restarted over and over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a supervisor tells."""

    phase: Phase
    port: int
    restarts: int = 0
    exit_code: int | None = None
    """Of the scorer that ended last; negative: the signal that ended it."""


def write_launch(path: Path, launch: Launch) -> None:
    """Write it for the supervisor."""
    write_file(path, json.dumps(dataclasses.asdict(launch)).encode())


def read_launch(path: Path) -> Launch:
    """Read what the host wrote."""
    fields = json.loads(path.read_bytes())
    return Launch(**{**fields, "command": tuple(fields["command"])})


def write_status(path: Path, status: Status) -> None:
    """Write it for the host."""
    write_file(path, json.dumps(dataclasses.asdict(status)).encode())


def read_status(path: Path) -> Status | None:
    """Read what the supervisor wrote last; None where there is nothing of it."""
    try:
        fields = json.loads(path.read_bytes())
        return Status(**{**fields, "phase": Phase(fields["phase"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
