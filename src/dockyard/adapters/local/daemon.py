"""Owns how our long-lived processes leave their starter, say that they stand, and are found again. Standard library only.

A daemon holds an flock on its pid file for as long as it lives. The kernel drops the lock when the process ends, however
it ends, so a pid that was given to somebody else meanwhile is never mistaken for ours.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

_POLL_SECONDS = 0.02
_PROBE_SECONDS = 1.0


def detach() -> Callable[[], None]:
    """Go on in a child without terminal or parent; the parent stays until the child calls what is returned here.

    The parent exits 0 then, or 1 if the child ends before, so that whoever started us knows by waiting for its exit.
    """
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os._exit(0 if os.read(reading, 1) else 1)
    os.close(reading)
    os.setsid()

    def say_ready() -> None:
        os.write(writing, b"!")
        os.close(writing)

    return say_ready


def hold_pid_file(path: Path) -> int | None:
    """Write our pid into the file and hold it until we end; None when another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # Those who look for a holder share the lock for an instant; that must not keep us from starting.
    deadline = time.monotonic() + _PROBE_SECONDS
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            return None
        time.sleep(_POLL_SECONDS)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def watch_for_end() -> threading.Event:
    """What is set when we are asked to end, by SIGTERM or Ctrl-C."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    return ending


def holds(path: Path, descriptor: int) -> bool:
    """Whether the file that we hold is still the one at `path`: a daemon whose folder is gone has nothing to do."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def find_holder(path: Path) -> int | None:
    """The pid of the process that holds the pid file, if one does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        while not _try_lock(descriptor, fcntl.LOCK_SH):
            pid = os.pread(descriptor, 20, 0)
            if pid.isdigit():
                return int(pid)
            time.sleep(_POLL_SECONDS)  # it has the lock, and writes its pid at this moment
        return None
    finally:
        os.close(descriptor)


def end_holder(path: Path, *, grace_seconds: float) -> None:
    """Ask the holder of a pid file to end, kill it when the grace is over, and return when it is gone."""
    for wanted, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, _PROBE_SECONDS * 10)):
        pid = find_holder(path)
        if pid is None:
            return
        try:
            os.kill(pid, wanted)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while find_holder(path) == pid and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
