"""Waiting for something to become true, with an end to patience."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_for(is_true: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Return as soon as it is true; fail the test when it never is."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() >= deadline:
            raise AssertionError(f"still not true after {seconds} s")
        time.sleep(0.01)
