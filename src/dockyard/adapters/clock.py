"""Owns the Clock port on the machine's own clock."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone


class SystemClock:
    """The machine's clock; ids are random."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def fresh_id(self) -> str:
        """32 random hex digits."""
        return uuid.uuid4().hex
