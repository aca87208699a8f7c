"""How many containers a variant's instances get: one each, up to a limit, above which they share; and their second lives.

Owns starting them together, or none of them, and starting one again that crashed. Must not know variants. A laptop has no ten
instances' worth of memory.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from dockyard_sandbox.runner import Container, ContainerSpec, Runner, RunnerError

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
            jobs = [pool.submit(KeptContainer, self._runner, spec) for _ in range(wanted)]
            wait(jobs)
        failures = [error for job in jobs if (error := job.exception()) is not None]
        if not failures:
            return [job.result() for job in jobs]
        for job in jobs:
            if job.exception() is None:
                job.result().stop(0)
        raise failures[0]


class KeptContainer:
    """A container that is started again after a crash, as SageMaker does, once somebody notices: see `revive`."""

    def __init__(self, runner: Runner, spec: ContainerSpec) -> None:
        """Start it. Raises what the runner raises."""
        self._runner = runner
        self._spec = spec
        self._current = runner.start(spec)
        self._lock = threading.Lock()
        self._is_reviving = False
        self._is_stopped = False

    @property
    def address(self) -> str:
        """Where it answers now."""
        return self._current.address

    def exit_code(self) -> int | None:
        """How it ended, if it has and was not started again."""
        return self._current.exit_code()

    def stop(self, grace_seconds: float = 30) -> None:
        """End it for good."""
        with self._lock:
            self._is_stopped = True
            self._current.stop(grace_seconds)

    def revive(self) -> None:
        """It does not answer: start it again if it has ended. Returns at once."""
        with self._lock:
            if self._is_reviving or self._is_stopped or self._current.exit_code() is None:
                return
            self._is_reviving = True
        threading.Thread(target=self._start_again, name="revive", daemon=True).start()

    def _start_again(self) -> None:
        with self._lock:
            self._is_reviving = False
            if self._is_stopped:
                return
            self._spec.log(f"The container ended with code {self._current.exit_code()}. It is started again.")
            self._current.stop(0)
            try:
                self._current = self._runner.start(self._spec)
            except RunnerError as error:
                self._spec.log(f"The container could not be started again: {error.reason}")
