"""What state the service is in.

Owns the phases from start to end and the counts of what is under way. Decides readiness; does nothing about it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class AnsweringModel(Protocol):
    """A model as the service sees it."""

    def answer(self, body: bytes, content_type: str) -> str:
        """The answer's JSON text. Raises ScorerError."""


class Phase(str, Enum):
    """How far the service has come; the value is the reason code that /ready tells."""

    LOADING = "model-loading"
    PROVING = "model-proving"
    READY = "ready"
    FAILED = "model-failed"

    @property
    def code(self) -> str:
        """The reason code."""
        return str(self.value)


@dataclass(slots=True, kw_only=True)
class Health:
    """The one mutable state of the process. Touched in the event loop's thread only, but for `draining`."""

    clock: Callable[[], float] = time.monotonic
    phase: Phase = Phase.LOADING
    model: AnsweringModel | None = None
    """The model, once it is proved."""
    in_flight: int = 0
    """Requests to /invocations that were accepted and not yet answered."""
    cut_off: int = 0
    """Requests to /invocations that were given up because the grace was over."""
    last_request: float = field(default=-math.inf)
    drain_began: float | None = None

    @property
    def is_draining(self) -> bool:
        """Whether the process was told to end."""
        return self.drain_began is not None

    def begin_drain(self) -> None:
        """Note that the process was told to end. Called from a signal handler; a second call changes nothing."""
        if self.drain_began is None:
            self.drain_began = self.clock()

    def begin_proof(self) -> None:
        """The model is loaded."""
        self.phase = Phase.PROVING

    def open(self, model: AnsweringModel) -> None:
        """The model is proved: it may answer."""
        self.model = model
        self.phase = Phase.READY

    def fail(self) -> None:
        """The model cannot serve."""
        self.phase = Phase.FAILED

    def begin_request(self) -> None:
        """A request to /invocations came in."""
        self.in_flight += 1
        self.last_request = self.clock()

    def end_request(self) -> None:
        """A request to /invocations was answered or given up."""
        self.in_flight -= 1

    def seconds_until_close(self, *, quiet: float, grace: float) -> float:
        """How long the port must stay open yet: until no request came for `quiet` seconds, or half the grace is over.

        Closing at once would refuse requests of clients and load balancers that have not heard of the end yet.
        """
        if self.drain_began is None:
            return math.inf
        if self.model is None:
            return 0.0  # nobody was told that it is ready, so nobody sends requests
        quiet_at = max(self.drain_began, self.last_request) + quiet
        return min(quiet_at, self.drain_began + grace / 2) - self.clock()

    def remaining_grace(self, grace: float) -> float:
        """Seconds left of `grace` since the drain began."""
        return grace if self.drain_began is None else max(0.0, self.drain_began + grace - self.clock())
