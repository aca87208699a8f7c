"""How fast the sandbox's time passes against AWS's.

Owns the durations that AWS needs for things, and waiting for them. Must not know what is waited for.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

DEFAULT_SPEED = 60.0
"""For people: an endpoint that AWS makes in two minutes is there in two seconds plus its container's start."""
TEST_SPEED = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """What AWS takes, in its seconds. Measured values vary; these are typical."""

    provision: float = 120
    shift: float = 10
    scale: float = 60
    stop: float = 20
    component: float = 60
    package: float = 5
    job: float = 60


class Pace:
    """Waits. `speed` says how many of AWS's seconds pass in one of ours; 0 is a standstill.

    `startup_speed` is the same for the time that a container has to pass `/ping`: images do not start faster on a fast clock.
    """

    def __init__(self, speed: float = DEFAULT_SPEED, startup_speed: float = 8.0) -> None:
        self.durations = Durations()
        self._speed = speed
        self._startup_speed = startup_speed
        self._closed = False
        self._changed = threading.Condition()

    @property
    def speed(self) -> float:
        """AWS's seconds per second."""
        return self._speed

    @property
    def startup_speed(self) -> float:
        """AWS's seconds per second, for the start of containers."""
        return self._startup_speed

    @property
    def is_closed(self) -> bool:
        """Whether nothing is waited for any more."""
        return self._closed

    def change(self, *, speed: float | None = None, startup_speed: float | None = None) -> None:
        """Set the pace, also of waits that have begun. Raises ValueError for a negative one."""
        if min(speed or 0, startup_speed or 0) < 0:
            raise ValueError("a pace is zero (a standstill) or more")
        with self._changed:
            self._speed = self._speed if speed is None else speed
            self._startup_speed = self._startup_speed if startup_speed is None else startup_speed
            self._changed.notify_all()

    def close(self) -> None:
        """End all waits, and let none begin."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def sleep(self, seconds: float) -> bool:
        """Wait for so many of AWS's seconds. False where the sandbox was closed meanwhile."""
        left = seconds
        with self._changed:
            while left > 1e-9 and not self._closed:
                started, speed = time.monotonic(), self._speed
                self._changed.wait(timeout=left / speed if speed else None)
                left -= (time.monotonic() - started) * speed
            return not self._closed

    def pause(self, seconds: float) -> bool:
        """Wait for so many of our own seconds. False where the sandbox was closed meanwhile."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self._closed and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(timeout=left)
            return not self._closed

    def startup_seconds(self, seconds: float) -> float:
        """Our seconds that a container has for its start. At a standstill it has AWS's."""
        return seconds / (self._startup_speed or 1)
