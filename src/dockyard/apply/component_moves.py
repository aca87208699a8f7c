"""Owns how an inference component is moved and watched, like `endpoint_moves` for endpoints.

The service takes an update back by itself, and the component is in service then, too: success is only the wanted model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from typing_extensions import assert_never

from dockyard.apply.endpoint_moves import LATE_SECONDS, LOG_LINES, UNDO_SECONDS, Watch
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DetachedError, TransientError, UnhealthyError
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
from dockyard.domain.sagemaker_hints import find_hint
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
                self._settle(endpoint, timeout)
            case WaitComponent():
                self._wait(step)
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
        endpoint = self.endpoints.describe_endpoint(name)
        if endpoint is not None and endpoint.owner != str(self.key):
            raise ConflictError("endpoint-not-ours", f"endpoint {name} is another one by now, made by somebody else")
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

    def _wait(self, step: WaitComponent) -> None:
        watch = Watch(clock=self.clock, timeout_seconds=step.timeout_seconds)
        try:
            for _ in watch.looks():
                component = self._look(step.endpoint)
                if self._has_arrived(component, step, watch):
                    return
                self._tell(step.endpoint, component)
        except KeyboardInterrupt:
            raise DetachedError(
                "cancelled",
                f"no longer waiting; inference component {step.endpoint} goes on to revision {step.number}",
                hint="the same command again goes on waiting; `dockyard status` shows how far it is",
            ) from None
        what = f"does not serve revision {step.number} after {step.timeout_seconds} s"
        raise self._unhealthy(watch, step.endpoint, "endpoint-not-ready", what)

    def _has_arrived(self, component: InferenceComponent | None, step: WaitComponent, watch: Watch) -> bool:
        if component is not None and component.status.is_moving:
            watch.has_moved = True
            return False
        is_in_service = component is not None and component.status is ComponentStatus.IN_SERVICE
        if component is not None and is_in_service and component.model == step.model:
            return True
        if watch.may_be_late and not (component and component.status is ComponentStatus.FAILED):
            return False
        if component is None:
            raise self._unhealthy(watch, step.endpoint, "endpoint-failed", "was deleted by somebody else")
        if is_in_service:
            what = f"was taken back to {component.model} by the service"
            raise self._unhealthy(watch, step.endpoint, "rolled-back", what, component.failure_reason)
        raise self._unhealthy(watch, step.endpoint, "endpoint-failed", f"is {component.status.value}", component.failure_reason)

    def _settle(self, name: str, timeout_seconds: float) -> InferenceComponent | None:
        """Wait until it does not move. Raises ConflictError `endpoint-busy` when the time is up."""
        watch = Watch(clock=self.clock, timeout_seconds=timeout_seconds)
        for _ in watch.looks():
            component = self._look(name)
            if component is None or not component.status.is_moving:
                return component
            self._tell(name, component)
        raise ConflictError(
            "endpoint-busy",
            f"inference component {name} is still changing after {timeout_seconds:.0f} s",
            hint="the same command later completes it; nothing of it is lost",
        )

    def _delete(self, name: str, timeout_seconds: float) -> None:
        """Delete it as soon as it may be, and wait until it is gone; what is left of its scaling goes, too."""
        watch = Watch(clock=self.clock, timeout_seconds=timeout_seconds)
        is_begun = False
        for _ in watch.looks():
            component = self._look(name)
            is_at_rest = component is None or not component.status.is_moving
            if is_at_rest and not (component is None and is_begun):
                self._begin_to_delete(name)
                is_begun = True
            if component is None:
                return
            self._tell(name, component)
        raise ConflictError(
            "endpoint-busy",
            f"inference component {name} could not be deleted within {timeout_seconds:.0f} s",
            hint="the service deletes none that it is creating; `dockyard delete` later completes it",
        )

    def _begin_to_delete(self, name: str) -> None:
        """Where it began to move since it was looked at, the next look finds out when it rests again."""
        try:
            self.components.delete_component(name)
        except ConflictError as error:
            if error.code != "endpoint-busy":
                raise

    def _go_back(self, step: UpdateComponent) -> None:
        """Have it serve what it served before, where it got so far as to serve something else."""
        component = self._settle(step.endpoint, UNDO_SECONDS)
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
        self._wait(WaitComponent(endpoint=step.endpoint, model=back.model, number=0, timeout_seconds=int(UNDO_SECONDS)))

    def _tell(self, name: str, component: InferenceComponent | None) -> None:
        status = component.status.value if component else "not to be seen yet"
        self.progress.advance(f"inference component {name}: {status}", 0, None)

    def _unhealthy(self, watch: Watch, name: str, code: str, what: str, reason: str = "") -> UnhealthyError:
        since = watch.began - timedelta(seconds=LATE_SECONDS)
        lines = self.endpoints.read_logs(name, tail=LOG_LINES, since=since)
        because = f": {reason}" if reason else ""
        hint = find_hint(reason, lines)
        return UnhealthyError(code, f"inference component {name} {what}{because}", hint=hint, details=lines)
