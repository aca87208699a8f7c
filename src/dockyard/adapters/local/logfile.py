"""Owns a revision's log: written with an upper limit to its size, read from its end, followed. Standard library only."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

_POLL_SECONDS = 0.2


class RotatingLog:
    """Appends to a file; one that has become too large is set aside as `.1`, in place of the one before."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._descriptor = _open_end(path)

    def write(self, data: bytes) -> None:
        """Append. A full disk loses lines, not the scorer."""
        try:
            os.write(self._descriptor, data)
            if os.fstat(self._descriptor).st_size >= self._max_bytes:
                self._rotate()
        except OSError:
            return

    def note(self, text: str) -> None:
        """Append a line of our own."""
        self.write(f"[dockyard] {text}\n".encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _rotate(self) -> None:
        self._path.replace(old_log(self._path))
        os.close(self._descriptor)
        self._descriptor = _open_end(self._path)


def old_log(path: Path) -> Path:
    """Where the log is set aside."""
    return path.with_name(f"{path.name}.1")


def read_log(path: Path, *, tail: int, is_live: Callable[[], bool] | None = None) -> Iterator[str]:
    """The last `tail` lines over both files, without line ends; with `is_live` also every further one while it is true."""
    reader = _Reader(path)
    try:
        yield from deque(chain(_read_lines(old_log(path)), reader.read_lines()), maxlen=tail)
        while is_live is not None:
            was_live = is_live()
            yield from reader.read_lines()
            if not was_live:
                break
            time.sleep(_POLL_SECONDS)
        yield from reader.take_rest()
    finally:
        reader.close()


class _Reader:
    """Reads a file that grows, line by line, also over its replacement by a new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._descriptor = self._open()

    def read_lines(self) -> Iterator[str]:
        """The whole lines that have come since the last call."""
        is_replaced = self._is_replaced()  # looked at first: what was written until then is in the old file, and no more
        yield from self._read_new()
        if is_replaced:
            self.close()
            self._descriptor = self._open()
            yield from self._read_new()

    def take_rest(self) -> Iterator[str]:
        """The last line, if its end has not come."""
        if self._rest:
            yield _decode(self._rest)
            self._rest = b""

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int | None:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None

    def _read_new(self) -> Iterator[str]:
        while self._descriptor is not None and (data := os.read(self._descriptor, 65536)):
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield from (_decode(line) for line in lines)

    def _is_replaced(self) -> bool:
        try:
            return self._descriptor is None or not os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False


def _read_lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            yield from (_decode(line) for line in file)
    except FileNotFoundError:
        return


def _decode(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "replace")


def _open_end(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
