"""What happened in the sandbox, for people and for tests: state changes, faults, defects.

Owns the list. Must not hold secrets: events are shown on the status page.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass

KEPT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `time` is seconds since 1970."""

    time: float
    kind: str
    resource: str
    text: str


class Events:
    """The last events, oldest first."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def tell(self, kind: str, resource: str, text: str) -> None:
        """Add an event that happens now."""
        with self._lock:
            self._events.append(Event(time=time.time(), kind=kind, resource=resource, text=text))

    def list_events(self) -> tuple[Event, ...]:
        """All that are kept."""
        with self._lock:
            return tuple(self._events)

    def as_json(self) -> list[dict[str, object]]:
        """All that are kept, as JSON."""
        return [asdict(event) for event in self.list_events()]
