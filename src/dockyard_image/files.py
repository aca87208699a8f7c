"""Files that appear whole or not at all, and locks that die with their holder.

Owns atomic writing and advisory locks. Must not know what is written.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dockyard_image.errors import StoreError

_POLL_SECONDS = 0.05
PARTIAL_PREFIX = ".partial-"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class Draft:
    """An unfinished file; `target` says where it goes, and may be decided as late as the end of the block."""

    def __init__(self, file: IO[bytes], target: Path | None) -> None:
        self.file = file
        self.target = target


@contextmanager
def write_draft(folder: Path, target: Path | None = None) -> Iterator[Draft]:
    """A file in `folder` that moves to the draft's target when the block ends well, and vanishes when it does not.

    Folder and target must be on the same file system. Raises StoreError, code `store-unwritable`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=PARTIAL_PREFIX, dir=folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            draft = Draft(file, target)
            yield draft
            file.flush()
            os.fsync(file.fileno())
        if draft.target is not None:
            draft.target.parent.mkdir(parents=True, exist_ok=True)
            Path(name).replace(draft.target)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _unwritable(folder, error) from error
        raise
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def write_atomically(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that becomes `path` when the block ends well, and vanishes when it does not."""
    with write_draft(path.parent, path) as draft:
        yield draft.file


def mark_used(path: Path) -> None:
    """Set a cache entry's time to now, so that whoever tidies up sees that it is used; in a read-only cache nobody does."""
    with suppress(OSError):
        os.utime(path)


@contextmanager
def lock_file(path: Path, *, shared: bool = False, wait_seconds: float | None = None) -> Iterator[None]:
    """Hold an advisory lock on `path`. The kernel drops it when the process dies, however it dies.

    Raises StoreError, code `store-busy`, when others hold it for longer than `wait_seconds` (None waits for ever).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        if wait_seconds is None:
            fcntl.flock(descriptor, kind)
        else:
            _lock_within(descriptor, kind, wait_seconds)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # explicitly: a child started meanwhile may still hold the file open
        os.close(descriptor)


def _lock_within(descriptor: int, kind: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                hint = "Wait until the other command has ended, then try again."
                raise StoreError("store-busy", "another process is working in the image store", hint) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def _unwritable(folder: Path, error: OSError) -> StoreError:
    hint = "Make room on the disk, or choose another folder for Dockyard's files."
    return StoreError("store-unwritable", f"{folder} cannot be written: {error.strerror}", hint)
