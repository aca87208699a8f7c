"""Threads that carry out what calls have set in motion.

Owns starting them, and that none is left when the sandbox ends. Must not know what they do.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from dockyard_sandbox.events import Events


class Workers:
    """Runs functions, each in a thread of its own."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def run(self, name: str, work: Callable[[], None]) -> None:
        """Start the work. An exception is a defect of the sandbox: it is told among the events."""
        thread = threading.Thread(target=self._guard, args=(name, work), name=name, daemon=True)
        with self._lock:
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait for all of them. Whoever calls has ended what they wait for."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _guard(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 a thread's end is nobody's to catch: it must be seen
            self._events.tell("defect", name, traceback.format_exc(limit=4))
