"""Tests of the prediction threads."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from dockyard_scorer.errors import ScorerError
from dockyard_scorer.predictions import PredictionPool


def test_no_more_predictions_run_at_once_than_there_are_threads() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def predict() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return "done"

    async def run_many() -> list[str]:
        pool = PredictionPool(threads=3, timeout=10)
        return list(await asyncio.gather(*(pool.run(predict) for _ in range(12))))

    assert asyncio.run(run_many()) == ["done"] * 12
    assert most == 3


def test_prediction_that_waits_too_long_for_a_thread_never_runs() -> None:
    ran: list[str] = []
    release = threading.Event()

    def hold() -> str:
        return str(release.wait(5))

    def note() -> str:
        ran.append("late")
        return ""

    async def overload() -> list[str]:
        pool = PredictionPool(threads=1, timeout=0.05)
        outcomes = await asyncio.gather(pool.run(hold), pool.run(note), return_exceptions=True)
        assert (pool.overdue, pool.is_stuck) == (1, True)
        release.set()
        await asyncio.sleep(0.2)
        assert (pool.overdue, pool.is_stuck) == (0, False)
        return [outcome.code for outcome in outcomes if isinstance(outcome, ScorerError)]

    assert asyncio.run(overload()) == ["timeout", "timeout"]
    assert ran == []


def test_what_a_prediction_raises_is_raised_to_the_one_who_asked() -> None:
    def fail() -> str:
        raise ScorerError("prediction-failed", "no")

    async def ask() -> None:
        await PredictionPool(threads=1, timeout=5).run(fail)

    with pytest.raises(ScorerError, match="no"):
        asyncio.run(ask())
