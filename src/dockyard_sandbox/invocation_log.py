"""What was invoked lately: for metrics, alarms and the status page.

Owns the record of one invocation, and the last ones. Must not hold payloads.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One request that a container was asked to answer. `status` is what the client got, `model_status` what came back."""

    time: float
    region: str
    endpoint: str
    variant: str
    config_name: str
    status: int
    model_status: int
    model_seconds: float
    overhead_seconds: float
    component: str = ""


class Observer(Protocol):
    """Whoever wants to know of invocations. Must be quick."""

    def observe(self, invocation: Invocation) -> None:
        """An invocation has ended."""
        ...


class InvocationLog:
    """The last invocations, and who else wants to know of them."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = observers
        self._lock = threading.Lock()
        self._last: deque[Invocation] = deque(maxlen=KEPT)
        self._totals: Counter[tuple[str, str, str, str]] = Counter()

    def observe(self, invocation: Invocation) -> None:
        """An invocation has ended."""
        kind = "ok" if invocation.status < 400 else "failed"
        with self._lock:
            self._last.append(invocation)
            self._totals[invocation.region, invocation.endpoint, invocation.variant, kind] += 1
        for observer in self._observers:
            observer.observe(invocation)

    def list_since(self, seconds: float) -> tuple[Invocation, ...]:
        """Those of the last so many seconds."""
        start = time.time() - seconds
        with self._lock:
            return tuple(one for one in self._last if one.time >= start)

    def list_variants(self) -> tuple[tuple[str, str, str], ...]:
        """Region, endpoint and variant of everything that was ever invoked."""
        with self._lock:
            return tuple(sorted({(region, endpoint, variant) for region, endpoint, variant, _ in self._totals}))

    def count(self, region: str, endpoint: str, variant: str, kind: str) -> int:
        """How many `ok` or `failed` ones a variant has had since the sandbox was started."""
        with self._lock:
            return self._totals[region, endpoint, variant, kind]
