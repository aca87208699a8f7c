"""Owns how a SageMaker endpoint is moved and watched: waits that look ever more slowly, and what a wait's end means.

An endpoint that moves takes no change, so taking back waits until it has settled: the service has then either rolled back by
itself or finished, and only in the second case there is something left to do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from typing_extensions import assert_never

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DetachedError, UnhealthyError
from dockyard.domain.sagemaker import Endpoint, EndpointStatus, Rollout
from dockyard.domain.sagemaker_hints import find_hint
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    DeleteEndpoint,
    ReplaceEndpoint,
    UpdateEndpoint,
    WaitInService,
    WaitSettled,
)
from dockyard.ports import Clock, Progress
from dockyard.ports_sagemaker import Endpoints

_LOG_LINES = 50
_GRACE_SECONDS = 30.0
"""How long an endpoint that shows neither the new configuration nor a change may be showing what was before."""
_LATE_SECONDS = 5.0
"""How long an endpoint that was created, but whose creation was not answered, may not be to be seen."""
_UNDO_SECONDS = 3600.0
_FIRST_PAUSE_SECONDS = 0.2
_SHORTEST_PAUSE_SECONDS = 0.001
_LAST_PAUSE_SECONDS = 15.0

EndpointStep = WaitSettled | ReplaceEndpoint | CreateEndpoint | UpdateEndpoint | WaitInService | DeleteEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointMoves:
    """The steps of a plan that move an endpoint or wait for it."""

    key: DeploymentKey
    endpoints: Endpoints
    clock: Clock
    progress: Progress

    def perform(self, step: EndpointStep) -> None:
        """Do a step."""
        match step:
            case WaitSettled(endpoint=endpoint, timeout_seconds=timeout):
                self._settle(endpoint, timeout)
            case ReplaceEndpoint(endpoint=endpoint, timeout_seconds=timeout):
                self._delete_endpoint(endpoint, timeout)
            case CreateEndpoint():
                self.endpoints.create_endpoint(self.key, step)
            case UpdateEndpoint():
                self._update_endpoint(step)
            case WaitInService():
                self._wait_in_service(step)
            case DeleteEndpoint(endpoint=endpoint, timeout_seconds=timeout):
                self._delete_endpoint(endpoint, timeout)
            case _:
                assert_never(step)

    def undo(self, step: EndpointStep) -> None:
        """Take back what a step did, as far as it came."""
        match step:
            case CreateEndpoint():
                self._take_away(step)
            case UpdateEndpoint():
                self._go_back(step)
            case _:
                return

    def _wait_in_service(self, step: WaitInService) -> None:
        """Only the wanted configuration in service is success: after a rollback an endpoint is in service, too."""
        watch = Watch(clock=self.clock, timeout_seconds=step.timeout_seconds)
        try:
            for _ in watch.looks():
                endpoint = self.endpoints.describe_endpoint(step.endpoint)
                if self._has_arrived(endpoint, step, watch):
                    return
                self._tell(step.endpoint, endpoint)
        except KeyboardInterrupt:
            raise DetachedError(
                "cancelled",
                f"no longer waiting; endpoint {step.endpoint} goes on to revision {step.number}",
                hint="the same command again goes on waiting; `dockyard status` shows how far it is",
            ) from None
        what = f"does not serve revision {step.number} after {step.timeout_seconds} s"
        raise self._unhealthy(watch, step.endpoint, "endpoint-not-ready", what)

    def _has_arrived(self, endpoint: Endpoint | None, step: WaitInService, watch: Watch) -> bool:
        if endpoint is not None and endpoint.status.is_moving:
            watch.has_moved = True
            return False
        is_in_service = endpoint is not None and endpoint.status is EndpointStatus.IN_SERVICE
        if endpoint is not None and is_in_service and endpoint.config == step.config:
            return True
        if watch.may_be_late and not (endpoint and endpoint.status is EndpointStatus.FAILED):
            return False
        if endpoint is None:
            raise self._unhealthy(watch, step.endpoint, "endpoint-failed", "was deleted by somebody else")
        reason = endpoint.failure_reason
        if is_in_service:
            what = f"was taken back to {endpoint.config} by the service"
            raise self._unhealthy(watch, endpoint.name, "rolled-back", what, reason)
        raise self._unhealthy(watch, endpoint.name, "endpoint-failed", f"is {endpoint.status.value}", reason)

    def _tell(self, name: str, endpoint: Endpoint | None) -> None:
        status = endpoint.status.value if endpoint else "not to be seen yet"
        self.progress.advance(f"endpoint {name}: {status}", 0, None)

    def _settle(self, name: str, timeout_seconds: float) -> Endpoint | None:
        """Wait until an endpoint does not move. Raises ConflictError `endpoint-busy` when the time is up."""
        watch = Watch(clock=self.clock, timeout_seconds=timeout_seconds)
        for _ in watch.looks():
            endpoint = self.endpoints.describe_endpoint(name)
            if endpoint is None or not endpoint.status.is_moving:
                return endpoint
            self._tell(name, endpoint)
        raise ConflictError(
            "endpoint-busy",
            f"endpoint {name} is still changing after {timeout_seconds:.0f} s",
            hint="the same command later completes it; nothing of it is lost",
        )

    def _update_endpoint(self, step: UpdateEndpoint) -> None:
        """Begin to roll out; an endpoint that AWS happens to maintain takes it when that is over."""
        try:
            self.endpoints.update_endpoint(step)
        except ConflictError as error:
            endpoint = self.endpoints.describe_endpoint(step.endpoint)
            is_maintained = endpoint is not None and endpoint.status is EndpointStatus.SYSTEM_UPDATING
            if error.code != "plan-stale" or not is_maintained:
                raise
            self._settle(step.endpoint, _UNDO_SECONDS)
            self.endpoints.update_endpoint(step)

    def _delete_endpoint(self, name: str, timeout_seconds: float) -> None:
        """Delete an endpoint as soon as it may be, and wait until it is gone."""
        watch = Watch(clock=self.clock, timeout_seconds=timeout_seconds)
        for _ in watch.looks():
            endpoint = self.endpoints.describe_endpoint(name)
            if endpoint is None:
                return
            if endpoint.owner != str(self.key):
                raise ConflictError("endpoint-not-ours", f"endpoint {name} is another one by now, made by somebody else")
            if not endpoint.status.is_moving:
                self._begin_to_delete(name)
            self._tell(name, endpoint)
        raise ConflictError(
            "endpoint-busy",
            f"endpoint {name} could not be deleted within {timeout_seconds:.0f} s",
            hint="the service deletes none that it is creating; `dockyard delete` later completes it",
        )

    def _begin_to_delete(self, name: str) -> None:
        """Where it began to move since it was looked at, the next look finds out when it rests again."""
        try:
            self.endpoints.delete_endpoint(name)
        except ConflictError as error:
            if error.code != "endpoint-busy":
                raise

    def _take_away(self, step: CreateEndpoint) -> None:
        """Delete the endpoint that a step made, which may not be to be seen yet; what somebody else made instead stays."""
        watch = Watch(clock=self.clock, timeout_seconds=_LATE_SECONDS)
        for _ in watch.looks():
            endpoint = self.endpoints.describe_endpoint(step.endpoint)
            if endpoint is not None:
                if (endpoint.owner, endpoint.config) == (str(self.key), step.config):
                    self._delete_endpoint(step.endpoint, _UNDO_SECONDS)
                return

    def _go_back(self, step: UpdateEndpoint) -> None:
        """Have the endpoint serve what it served before, where it got so far as to serve something else."""
        endpoint = self._settle(step.endpoint, _UNDO_SECONDS)
        if endpoint is None or step.config == step.previous_config:
            return
        if endpoint.config != step.config and endpoint.status is not EndpointStatus.UPDATE_ROLLBACK_FAILED:
            return
        back = dataclasses.replace(
            step, config=step.previous_config, previous_config=step.config, rollout=Rollout(wait_seconds=0), alarms=None
        )
        self.endpoints.update_endpoint(back)
        self._wait_in_service(
            WaitInService(endpoint=step.endpoint, config=back.config, number=0, timeout_seconds=int(_UNDO_SECONDS))
        )

    def _unhealthy(self, watch: Watch, name: str, code: str, what: str, reason: str = "") -> UnhealthyError:
        """What went wrong while it was waited for, with what containers have logged since: the older lines are others'."""
        since = watch.began - timedelta(seconds=_LATE_SECONDS)
        lines = self.endpoints.read_logs(name, tail=_LOG_LINES, since=since)
        because = f": {reason}" if reason else ""
        return UnhealthyError(
            code,
            f"endpoint {name} {what}{because}",
            hint=find_hint(reason, lines),
            details=lines,
        )


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
