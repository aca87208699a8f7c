"""Doing several things at once and failing as one.

Owns the thread pool's manners: the first failure is raised, and what has not begun does not begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def run_parallel(actions: Iterable[Callable[[], T]], threads: int) -> list[T]:
    """The results in the order of `actions`; raises the first error after the running ones have ended."""
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(action) for action in actions]
        done, pending = wait(jobs, return_when=FIRST_EXCEPTION)
        for job in pending:
            job.cancel()
        for job in jobs:
            if job in done and (error := job.exception()) is not None:
                raise error
        return [job.result() for job in jobs]
