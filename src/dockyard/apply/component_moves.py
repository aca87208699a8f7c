"""Owns how an inference component is moved, and what a step did to it is taken back; `watching` waits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import assert_never

from dockyard.apply.endpoint_moves import UNDO_SECONDS
from dockyard.apply.watching import Watch, Watcher, require_own, unless_busy
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, TransientError
from dockyard.domain.sagemaker import Rollout
from dockyard.domain.sagemaker_component import ComponentStatus, InferenceComponent
from dockyard.domain.sagemaker_component_steps import (
    ComponentStep,
    CreateComponent,
    CreateHostConfig,
    DeleteComponent,
    DeleteHostConfig,
    UpdateComponent,
    WaitComponent,
    WaitComponentSettled,
)
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.ports import Clock, Progress
from dockyard.ports_sagemaker import Components, Endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentMoves:
    """The steps of a plan that make, move and watch a component."""

    key: DeploymentKey
    endpoints: Endpoints
    components: Components
    clock: Clock
    progress: Progress

    def perform(self, step: ComponentStep) -> None:
        """Do a step."""
        match step:
            case CreateHostConfig():
                self.components.create_host_config(self.key, step)
            case DeleteHostConfig(name=name):
                self.components.delete_host_config(name)
            case CreateComponent():
                self._look(step.endpoint)
                self._call_at_rest(step.endpoint, lambda: self.components.create_component(self.key, step))
            case UpdateComponent():
                self._update(step)
            case WaitComponentSettled(endpoint=endpoint, timeout_seconds=timeout):
                self._watcher.settle(endpoint, timeout)
            case WaitComponent():
                self._watcher.wait_in_service(step.endpoint, step.model, step.number, step.timeout_seconds)
            case DeleteComponent(endpoint=endpoint, timeout_seconds=timeout):
                self._delete(endpoint, timeout)
            case _:
                assert_never(step)

    def undo(self, step: ComponentStep) -> None:
        """Take back what a step did, as far as it came."""
        match step:
            case CreateHostConfig(name=name):
                self.components.delete_host_config(name)
            case CreateComponent(endpoint=endpoint, model=model):
                component = self._look(endpoint)
                if component is not None and component.model == model:
                    self._delete(endpoint, UNDO_SECONDS)
            case UpdateComponent():
                self._go_back(step)
            case _:
                return

    def _look(self, name: str) -> InferenceComponent | None:
        """The component. Raises ConflictError `endpoint-not-ours` where its endpoint is somebody else's by now."""
        endpoint = require_own(self.endpoints.describe_endpoint(name), self.key)
        return endpoint.component if isinstance(endpoint, HostEndpoint) else None

    def _update(self, step: UpdateComponent) -> None:
        """Begin to replace its copies. Where the answer is lost and it moves, it does what was asked for: it was at rest."""
        self._look(step.endpoint)
        try:
            self._call_at_rest(step.endpoint, lambda: self.components.update_component(step))
        except TransientError:
            component = self._look(step.endpoint)
            if component is None or not (component.status is ComponentStatus.UPDATING or component.model == step.model):
                raise

    def _call_at_rest(self, name: str, call: Callable[[], None]) -> None:
        """An endpoint that AWS happens to maintain takes the call when that is over."""
        try:
            call()
        except ConflictError as error:
            if error.code != "endpoint-busy":
                raise
            watch = Watch(clock=self.clock, timeout_seconds=UNDO_SECONDS)
            for _ in watch.looks():
                endpoint = self.endpoints.describe_endpoint(name)
                if endpoint is None or not endpoint.status.is_moving:
                    break
            call()

    @property
    def _watcher(self) -> Watcher[InferenceComponent]:
        return Watcher(
            noun="inference component",
            look=self._look,
            place=lambda component: component.model,
            endpoints=self.endpoints,
            clock=self.clock,
            progress=self.progress,
        )

    def _delete(self, name: str, timeout_seconds: float) -> None:
        """Delete it as soon as it may be, and wait until it is gone; what is left of its scaling goes, too."""
        if not self._watcher.delete(name, timeout_seconds, self.components.delete_component):
            unless_busy(self.components.delete_component, name)

    def _go_back(self, step: UpdateComponent) -> None:
        """Have it serve what it served before, where it got so far as to serve something else."""
        component = self._watcher.settle(step.endpoint, UNDO_SECONDS)
        if component is None or component.model != step.model or step.model == step.previous:
            return
        back = dataclasses.replace(
            step,
            model=step.previous,
            spec=step.previous_spec,
            previous=step.model,
            previous_spec=step.spec,
            rollout=Rollout(wait_seconds=0),
            alarms=None,
        )
        self.components.update_component(back)
        self._watcher.wait_in_service(step.endpoint, back.model, 0, UNDO_SECONDS)
