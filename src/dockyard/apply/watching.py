"""Owns waiting for what SageMaker moves by itself: looks that come ever more slowly, and what the end of a wait means.

The service takes an update back by itself, and what was updated is in service then, too: success is to be where it was to go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DetachedError, UnhealthyError
from dockyard.domain.sagemaker import Endpoint, EndpointStatus
from dockyard.domain.sagemaker_component import ComponentStatus
from dockyard.domain.sagemaker_hints import find_hint
from dockyard.ports import Clock, Progress
from dockyard.ports_sagemaker import Endpoints

LATE_SECONDS = 5.0
"""How long what was made, but whose making was not answered, may not be to be seen."""
_LOG_LINES = 50
_GRACE_SECONDS = 30.0
"""How long what shows neither the wanted state nor a change may be showing what was before."""
_FIRST_PAUSE_SECONDS = 0.2
_SHORTEST_PAUSE_SECONDS = 0.001
_LAST_PAUSE_SECONDS = 15.0
_IN_SERVICE = (EndpointStatus.IN_SERVICE, ComponentStatus.IN_SERVICE)
_FAILED = (EndpointStatus.FAILED, ComponentStatus.FAILED)


class Movable(Protocol):
    """What the service moves: an endpoint, or an inference component."""

    @property
    def status(self) -> EndpointStatus | ComponentStatus:
        """The service's own."""
        ...

    @property
    def failure_reason(self) -> str:
        """Why it failed, or was taken back; the service may give none."""
        ...


M = TypeVar("M", bound=Movable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher(Generic[M]):
    """Waits for things of one kind, each by its name, which is its endpoint's."""

    noun: str
    look: Callable[[str], M | None]
    place: Callable[[M], str]
    """Name of what it serves."""
    endpoints: Endpoints
    clock: Clock
    progress: Progress

    def wait_in_service(self, name: str, wanted: str, number: int, timeout_seconds: float) -> None:
        """Wait until it serves what is wanted, which is that revision.

        Raises UnhealthyError where it will not, or has not when the time is up, and DetachedError for Ctrl-C.
        """
        watch = Watch(clock=self.clock, timeout_seconds=timeout_seconds)
        try:
            for _ in watch.looks():
                there = self.look(name)
                if self._has_arrived(watch, name, there, wanted):
                    return
                self._tell(name, there)
        except KeyboardInterrupt:
            raise DetachedError(
                "cancelled",
                f"no longer waiting; {self.noun} {name} goes on to revision {number}",
                hint="the same command again goes on waiting; `dockyard status` shows how far it is",
            ) from None
        raise self._unhealthy(
            watch, name, "endpoint-not-ready", f"does not serve revision {number} after {timeout_seconds:.0f} s"
        )

    def settle(self, name: str, timeout_seconds: float) -> M | None:
        """Wait until it does not move. Raises ConflictError `endpoint-busy` when the time is up."""
        for there in self._watch(name, timeout_seconds):
            if there is None or not there.status.is_moving:
                return there
        raise ConflictError(
            "endpoint-busy",
            f"{self.noun} {name} is still changing after {timeout_seconds:.0f} s",
            hint="the same command later completes it; nothing of it is lost",
        )

    def delete(self, name: str, timeout_seconds: float, begin: Callable[[str], None]) -> bool:
        """Begin to delete it as soon as it may be, and wait until it is gone; returns whether that was begun here.

        Raises ConflictError `endpoint-busy` when the time is up.
        """
        is_begun = False
        for there in self._watch(name, timeout_seconds):
            if there is None:
                return is_begun
            if not there.status.is_moving:
                unless_busy(begin, name)
                is_begun = True
        raise ConflictError(
            "endpoint-busy",
            f"{self.noun} {name} could not be deleted within {timeout_seconds:.0f} s",
            hint="the service deletes none that it is creating; `dockyard delete` later completes it",
        )

    def _watch(self, name: str, timeout_seconds: float) -> Iterator[M | None]:
        """What each look sees; it is told when that is not the end."""
        for _ in Watch(clock=self.clock, timeout_seconds=timeout_seconds).looks():
            there = self.look(name)
            yield there
            self._tell(name, there)

    def _has_arrived(self, watch: Watch, name: str, there: M | None, wanted: str) -> bool:
        if there is not None and there.status.is_moving:
            watch.has_moved = True
            return False
        is_in_service = there is not None and there.status in _IN_SERVICE
        if there is not None and is_in_service and self.place(there) == wanted:
            return True
        if watch.may_be_late and not (there and there.status in _FAILED):
            return False
        if there is None:
            raise self._unhealthy(watch, name, "endpoint-failed", "was deleted by somebody else")
        if is_in_service:
            what = f"was taken back to {self.place(there)} by the service"
            raise self._unhealthy(watch, name, "rolled-back", what, there.failure_reason)
        raise self._unhealthy(watch, name, "endpoint-failed", f"is {there.status.value}", there.failure_reason)

    def _tell(self, name: str, there: M | None) -> None:
        status = there.status.value if there else "not to be seen yet"
        self.progress.advance(f"{self.noun} {name}: {status}", 0, None)

    def _unhealthy(self, watch: Watch, name: str, code: str, what: str, reason: str = "") -> UnhealthyError:
        """What went wrong while it was waited for, with what containers have logged since: the older lines are others'."""
        since = watch.began - timedelta(seconds=LATE_SECONDS)
        lines = self.endpoints.read_logs(name, tail=_LOG_LINES, since=since)
        because = f": {reason}" if reason else ""
        return UnhealthyError(code, f"{self.noun} {name} {what}{because}", hint=find_hint(reason, lines), details=lines)


@dataclass(slots=True, kw_only=True)
class Watch:
    """One waiting: looks come quickly at first and then ever more slowly, until the time is up."""

    clock: Clock
    timeout_seconds: float
    has_moved: bool = False
    """Whether what is watched has been seen to change."""
    seconds: float = 0.0
    """Since the first look."""
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    @property
    def may_be_late(self) -> bool:
        """Whether a look may see how it was before, because nothing has been seen to change and not much time has passed."""
        return not self.has_moved and self.seconds < _GRACE_SECONDS

    def looks(self) -> Iterator[None]:
        """Yield for every look; ends when the time is up."""
        started = self.clock.monotonic()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            self.seconds = self.clock.monotonic() - started
            yield
            left = self.timeout_seconds - self.seconds
            if left < _SHORTEST_PAUSE_SECONDS:  # so short that a clock need not show it
                return
            self.clock.sleep(min(pause, left))
            pause = min(pause * 1.5, _LAST_PAUSE_SECONDS)


def unless_busy(call: Callable[[str], None], name: str) -> None:
    """Call; where it began to move since it was looked at, the next look finds out when it rests again."""
    try:
        call(name)
    except ConflictError as error:
        if error.code != "endpoint-busy":
            raise


def require_own(endpoint: Endpoint | None, key: DeploymentKey) -> Endpoint | None:
    """Return what was seen. Raises ConflictError `endpoint-not-ours` where an endpoint is somebody else's by now."""
    if endpoint is not None and endpoint.owner != str(key):
        raise ConflictError("endpoint-not-ours", f"endpoint {endpoint.name} is another one by now, made by somebody else")
    return endpoint
