"""Runs predictions in threads, so that the event loop stays free.

Owns the pool and the time limit. A prediction that overruns its time cannot be stopped in Python: it is answered for,
counted as overdue, and its thread comes back when it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from dockyard_scorer.errors import ScorerError


class PredictionPool:
    """A bounded number of threads. To be used from one event loop."""

    def __init__(self, *, threads: int, timeout: float) -> None:
        self._threads = threads
        self._timeout = timeout
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="predict")
        self._overdue: set[Future[str]] = set()

    @property
    def overdue(self) -> int:
        """How many predictions still run although their requests were answered 504."""
        self._overdue = {prediction for prediction in self._overdue if not prediction.done()}
        return len(self._overdue)

    @property
    def is_stuck(self) -> bool:
        """Whether every thread is held by an overdue prediction."""
        return self.overdue >= self._threads

    async def run(self, predict: Callable[[], str]) -> str:
        """What `predict` returns or raises; ScorerError `timeout` when it takes longer than it may."""
        prediction = self._executor.submit(predict)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(prediction), self._timeout)
        except asyncio.TimeoutError as error:
            if not prediction.cancelled():
                self._overdue.add(prediction)
            raise ScorerError("timeout", f"The prediction took longer than {self._timeout:g} s.") from error

    def close(self) -> None:
        """Take no more predictions and drop those that wait."""
        self._executor.shutdown(wait=False, cancel_futures=True)
