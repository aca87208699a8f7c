"""Owns the in-memory journal, locks and scorer: what surrounds an attempt on the in-memory machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dockyard.domain.attempt import Attempt, AttemptStatus
from dockyard.domain.deployment import DeploymentKey, RevisionStatus
from dockyard.domain.errors import ConflictError, DockyardError, UnavailableError
from dockyard.domain.image import Fingerprint
from dockyard.ports import Answer, LocalHost, LocalInventory, Request
from dockyard.testing.faults import Faults


@dataclass(kw_only=True)
class MemoryJournal:
    """Journal in memory; every state that was saved is kept."""

    faults: Faults = field(default_factory=Faults)
    saved: list[Attempt] = field(default_factory=list)

    def save_attempt(self, attempt: Attempt) -> None:
        """Keep it."""
        with self.faults.watch(f"save_attempt {attempt.status.value}"):
            self.saved.append(attempt)

    def find_attempt(self, key: DeploymentKey) -> Attempt | None:
        """The attempt that was saved last."""
        return next((one for one in reversed(self.saved) if one.key == key), None)

    def list_running(self) -> tuple[Attempt, ...]:
        """Those whose last state says that they run."""
        latest = {attempt.key: attempt for attempt in self.saved}
        return tuple(attempt for attempt in latest.values() if attempt.status is AttemptStatus.RUNNING)


@dataclass(kw_only=True)
class MemoryLocks:
    """Locks in memory; who holds one has it until the block ends, so waiting is of no use here."""

    holders: dict[DeploymentKey, str] = field(default_factory=dict)
    lost_after: int | None = None
    """After how many more looks whether a lock is held it is somebody else's."""

    @contextmanager
    def hold(self, key: DeploymentKey, owner: str, wait_seconds: float) -> Iterator[None]:
        """Hold the deployment's lock."""
        del wait_seconds
        if key in self.holders:
            raise ConflictError("lock-held", f"{key} is being changed by {self.holders[key]}")
        self.holders[key] = owner
        try:
            yield
        finally:
            del self.holders[key]

    def check(self, key: DeploymentKey) -> None:
        """Count the look."""
        if self.lost_after == 0:
            raise ConflictError("lock-lost", f"the lock of {key} is held by somebody else by now")
        self.lost_after = self.lost_after - 1 if self.lost_after is not None else None


@dataclass(kw_only=True)
class MemoryScorer:
    """Scorer whose revisions are those of an in-memory machine. `failures` maps a method's name to the error that it raises."""

    host: LocalHost
    inventory: LocalInventory
    failures: dict[str, DockyardError] = field(default_factory=dict)
    answer: object = field(default_factory=lambda: {"predictions": [1]})
    difference: str | None = None
    seconds: float = 0.001
    requests: list[Request] = field(default_factory=list)

    def wait_ready(self, address: str, timeout_seconds: float) -> bool:
        """Whether a revision at the address is ready; nothing changes by waiting."""
        del timeout_seconds
        return self._is_ready(address)

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """The same answer to every request, from a revision that is ready or a port that leads to one."""
        del timeout_seconds
        if "invoke" in self.failures:
            raise self.failures["invoke"]
        if not self._is_ready(address):
            raise UnavailableError("scorer-unreachable", f"the scorer at {address} does not answer")
        self.requests.append(request)
        return Answer(value=self.answer, seconds=self.seconds)

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """The same for every answer."""
        del fingerprint, answer
        return self.difference

    def _is_ready(self, address: str) -> bool:
        return address in set(self._list_addresses())

    def _list_addresses(self) -> Iterator[str]:
        for key in self.inventory.list_deployments():
            deployment = self.host.describe_deployment(key)
            ready = [one for one in deployment.revisions if one.status is RevisionStatus.READY and one.address is not None]
            yield from (one.address for one in ready if one.address is not None)
            if deployment.is_forwarding and any(one.number == deployment.serving for one in ready):
                yield f"127.0.0.1:{deployment.port}"
