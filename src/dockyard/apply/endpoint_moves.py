"""Owns how a SageMaker endpoint is moved, and what a step did to it is taken back; `watching` waits.

An endpoint that moves takes no change, so taking back waits until it has settled: the service has then either rolled back by
itself or finished, and only in the second case there is something left to do.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from typing_extensions import assert_never

from dockyard.apply.watching import LATE_SECONDS, Watch, Watcher, require_own
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.domain.sagemaker import Endpoint, EndpointStatus, Rollout
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

UNDO_SECONDS = 3600.0

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
                self._watcher.settle(endpoint, timeout)
            case ReplaceEndpoint(endpoint=endpoint, timeout_seconds=timeout):
                self._delete_endpoint(endpoint, timeout)
            case CreateEndpoint():
                self.endpoints.create_endpoint(self.key, step)
            case UpdateEndpoint():
                self._update_endpoint(step)
            case WaitInService():
                self._watcher.wait_in_service(step.endpoint, step.config, step.number, step.timeout_seconds)
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

    @property
    def _watcher(self) -> Watcher[Endpoint]:
        return Watcher(
            noun="endpoint",
            look=self.endpoints.describe_endpoint,
            place=lambda endpoint: endpoint.config,
            endpoints=self.endpoints,
            clock=self.clock,
            progress=self.progress,
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
            self._watcher.settle(step.endpoint, UNDO_SECONDS)
            self.endpoints.update_endpoint(step)

    def _delete_endpoint(self, name: str, timeout_seconds: float) -> None:
        """Delete an endpoint as soon as it may be, and wait until it is gone; what is somebody else's by then stays."""
        own = dataclasses.replace(self._watcher, look=self._look_at_own)
        own.delete(name, timeout_seconds, self.endpoints.delete_endpoint)

    def _look_at_own(self, name: str) -> Endpoint | None:
        return require_own(self.endpoints.describe_endpoint(name), self.key)

    def _take_away(self, step: CreateEndpoint) -> None:
        """Delete the endpoint that a step made, which may not be to be seen yet; what somebody else made instead stays."""
        watch = Watch(clock=self.clock, timeout_seconds=LATE_SECONDS)
        for _ in watch.looks():
            endpoint = self.endpoints.describe_endpoint(step.endpoint)
            if endpoint is not None:
                if (endpoint.owner, endpoint.config) == (str(self.key), step.config):
                    self._delete_endpoint(step.endpoint, UNDO_SECONDS)
                return

    def _go_back(self, step: UpdateEndpoint) -> None:
        """Have the endpoint serve what it served before, where it got so far as to serve something else."""
        endpoint = self._watcher.settle(step.endpoint, UNDO_SECONDS)
        if endpoint is None or step.config == step.previous_config:
            return
        if endpoint.config != step.config and endpoint.status is not EndpointStatus.UPDATE_ROLLBACK_FAILED:
            return
        back = dataclasses.replace(
            step, config=step.previous_config, previous_config=step.config, rollout=Rollout(wait_seconds=0), alarms=None
        )
        self.endpoints.update_endpoint(back)
        self._watcher.wait_in_service(step.endpoint, back.config, 0, UNDO_SECONDS)
