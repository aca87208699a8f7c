"""Owns inference components in memory, on the endpoints of an in-memory account. For tests, ours and users'.

A component moves by its endpoint being looked at, as a course of the account has it; the last that it refused is among its
`refusals`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.sagemaker import EndpointStatus
from dockyard.domain.sagemaker_component import ComponentStatus, InferenceComponent
from dockyard.domain.sagemaker_component_steps import CreateComponent, CreateHostConfig, UpdateComponent
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.testing.endpoints import Course, Ending, Phase
from dockyard.testing.sagemaker import MemoryAccount
from dockyard.testing.sagemaker_parts import HostConfig


@dataclass(kw_only=True)
class MemoryComponents:
    """Components in memory."""

    account: MemoryAccount

    def create_host_config(self, key: DeploymentKey, step: CreateHostConfig) -> None:
        """Make a configuration; one that is there is the same, because its name says what is in it."""
        with self.account.change("create_host_config", step.name):
            self.account.host_configs[step.name] = HostConfig(key=key, host=step.host)

    def delete_host_config(self, name: str) -> None:
        """Delete one that no endpoint uses."""
        with self.account.change("delete_host_config", name):
            users = [one.name for one in self.account.list_states() if name in one.used]
            if users:
                raise self.account.refuse("revision-in-use", f"endpoint {users[0]} uses {name}")
            self.account.host_configs.pop(name, None)

    def create_component(self, key: DeploymentKey, step: CreateComponent) -> None:
        """Begin to create one on an endpoint that is there for it."""
        with self.account.change("create_component", step.endpoint):
            there = self._require_host(step.endpoint)
            self._require_model(step.model)
            if there.component is not None:
                if there.owner != str(key) or there.component.model != step.model:
                    raise ConflictError("plan-stale", f"inference component {step.endpoint} is there, and is another one")
                return
            copies = step.spec.settings.component.copies if step.spec.settings.component else 1
            component = InferenceComponent(
                name=step.endpoint,
                status=ComponentStatus.CREATING,
                model=step.model,
                images=(self.account.models[step.model].image,),
                copies=copies,
            )
            self._move(there, component, self.account.take_course(step.model))

    def update_component(self, step: UpdateComponent) -> None:
        """Begin to move one that is at rest, and where the step says."""
        with self.account.change("update_component", step.endpoint):
            there = self._require_host(step.endpoint)
            self._require_model(step.model)
            component = there.component
            is_moving = component is not None and component.status.is_moving
            if component is None or is_moving or component.model not in {step.model, step.previous}:
                raise ConflictError("plan-stale", f"inference component {step.endpoint} was changed by somebody else")
            if component.model == step.model and component.status is ComponentStatus.IN_SERVICE:
                return
            after = dataclasses.replace(
                component, model=step.model, images=(self.account.models[step.model].image,), copies=step.copies
            )
            self._move(there, after, self.account.take_course(step.model))

    def delete_component(self, name: str) -> None:
        """Begin to delete one that is at rest."""
        with self.account.change("delete_component", name):
            self.account.scaling.pop(name, None)
            there = self.account.find_state(name)
            component = there.component if isinstance(there, HostEndpoint) else None
            if not isinstance(there, HostEndpoint) or component is None or component.status is ComponentStatus.DELETING:
                return
            if component.status.is_moving:
                raise self.account.refuse("endpoint-busy", f"Cannot update in-progress inference component {name}")
            moving = _put(there, dataclasses.replace(component, status=ComponentStatus.DELETING))
            self.account.begin(name, [*_pass(there, moving, self.account.usual), Phase(state=_put(there, None))])

    def scale(self, name: str, copies: int) -> None:
        """Let there be that many copies, as autoscaling does."""
        there = self._require_host(name)
        if there.component is not None:
            self.account.begin(name, [Phase(state=_put(there, dataclasses.replace(there.component, copies=copies)))])

    def _move(self, there: HostEndpoint, after: InferenceComponent, course: Course) -> None:
        """Create or update, as the course has it: an update that fails leaves what was there before, in service."""
        before = there.component
        status = ComponentStatus.UPDATING if before else ComponentStatus.CREATING
        moving = _put(there, dataclasses.replace(before or after, status=status, failure_reason=""))
        end = dataclasses.replace(after, status=ComponentStatus.IN_SERVICE, failure_reason="")
        if course.ending is not Ending.ARRIVES:
            kept = ComponentStatus.IN_SERVICE if before else ComponentStatus.FAILED
            end = dataclasses.replace(before or after, status=kept, failure_reason=course.reason)
        self.account.begin(there.name, [*_pass(there, moving, course), Phase(state=_put(there, end))])

    def _require_host(self, name: str) -> HostEndpoint:
        there = self.account.find_state(name)
        if isinstance(there, HostEndpoint) and there.status is EndpointStatus.SYSTEM_UPDATING:
            raise ConflictError("endpoint-busy", f"Cannot update in-progress endpoint {name}")
        if not isinstance(there, HostEndpoint) or there.status is not EndpointStatus.IN_SERVICE:
            raise self.account.refuse("aws-refused", f"endpoint {name} hosts no inference components now")
        return there

    def _require_model(self, name: str) -> None:
        if name not in self.account.models:
            raise DockyardError("aws-refused", f"Could not find model {name}")


def _put(there: HostEndpoint, component: InferenceComponent | None) -> HostEndpoint:
    return dataclasses.replace(there, component=component, images=component.images if component else ())


def _pass(there: HostEndpoint, moving: HostEndpoint, course: Course) -> list[Phase]:
    """Moving, of which the first looks see nothing."""
    hidden = Phase(state=moving, looks=course.hidden, shown=there, is_late=True)
    return [hidden, Phase(state=moving, looks=course.looks)]
