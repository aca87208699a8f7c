"""How many containers a variant's instances get: one each, up to a limit, above which they share.

Owns starting them together, or none of them. Must not know variants. A laptop has no ten instances' worth of memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from dockyard_sandbox.runner import Container, ContainerSpec, Runner

DEFAULT_LIMIT = 2
_THREADS = 4


class SharedFleet:
    """Starts at most `limit` containers for the instances of one variant."""

    def __init__(self, runner: Runner, limit: int = DEFAULT_LIMIT) -> None:
        self._runner = runner
        self._limit = limit

    def start(self, spec: ContainerSpec, count: int) -> Sequence[Container]:
        """One container for each of `count` instances, up to the limit. Raises what the runner raises, with none left."""
        wanted = min(count, self._limit)
        if wanted <= 0:
            return ()
        with ThreadPoolExecutor(min(wanted, _THREADS)) as pool:
            jobs = [pool.submit(self._runner.start, spec) for _ in range(wanted)]
            wait(jobs)
        failures = [error for job in jobs if (error := job.exception()) is not None]
        if not failures:
            return [job.result() for job in jobs]
        for job in jobs:
            if job.exception() is None:
                job.result().stop(0)
        raise failures[0]
