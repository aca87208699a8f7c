"""Telling how far long work has come, without knowing who listens.

Owns the counting. Must not print.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with what is being done, how many bytes (or pieces) are done, and of how many, if that is known."""


def ignore_progress(what: str, done: int, total: int | None) -> None:
    """The listener for callers who do not want to know."""
    del what, done, total


class Counter:
    """Adds up steps from many threads and reports them one at a time."""

    def __init__(self, what: str, total: int | None, progress: Progress) -> None:
        self._what = what
        self._total = total
        self._progress = progress
        self._done = 0
        self._lock = threading.Lock()

    def advance(self, step: int) -> None:
        """Add `step` and tell the listener."""
        with self._lock:
            self._done += step
            self._progress(self._what, self._done, self._total)
