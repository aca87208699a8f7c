"""Owns the Locks port: an flock on a file per deployment, with a few words about the holder inside.

The kernel frees the lock when the holder ends, however it ends; the words are for people and decide nothing.
Must not be used on network file systems without flock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.ports import Clock

_POLL_SECONDS = 0.1


class FileLocks:
    """Locks as files in one folder, which need not exist; a file is there only while somebody holds it or was killed."""

    def __init__(self, folder: Path, clock: Clock, *, command: str) -> None:
        """`command` is what the holder runs, for those who wait: the verb, never its arguments."""
        self._folder = folder
        self._clock = clock
        self._command = command

    @contextmanager
    def hold(self, key: DeploymentKey, owner: str, wait_seconds: float) -> Iterator[None]:
        """Hold the deployment's lock; it is free again when the holder ends, however it ends.

        Raises ConflictError `lock-held`, which says who holds it since when.
        """
        path = self._folder / f"{key.target.value}.{key.environment}.{key.name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = self._acquire(path, key, self._clock.monotonic() + wait_seconds)
        try:
            self._sign(descriptor, owner)
            yield
        finally:
            # Deleted while it is held: whoever waits on this file sees that it is gone and makes a new one.
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def check(self, key: DeploymentKey) -> None:
        """The kernel takes no lock away."""

    def _acquire(self, path: Path, key: DeploymentKey, deadline: float) -> int:
        while True:
            descriptor = _try_lock(path)
            if descriptor is not None:
                return descriptor
            remaining = deadline - self._clock.monotonic()
            if remaining <= 0:
                raise ConflictError(
                    "lock-held",
                    f"{key} is being changed by {_describe_holder(path)}",
                    hint="try again when it is done; the lock is free as soon as that process ends",
                )
            self._clock.sleep(min(_POLL_SECONDS, remaining))

    def _sign(self, descriptor: int, owner: str) -> None:
        since = self._clock.now().isoformat(timespec="seconds")
        holder = {"owner": owner, "host": socket.gethostname(), "pid": os.getpid(), "since": since, "command": self._command}
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(holder).encode())


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_file_at(path, descriptor):
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _is_file_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is still the one of that name: its last holder deletes it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _describe_holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_bytes())
        return f"{holder['owner']} on {holder['host']} (`{holder['command']}`, pid {holder['pid']}) since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another command that has just begun"
