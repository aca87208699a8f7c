"""What happens to an inference component between a call and its settled state.

Owns the steps, run in a worker. Must not check requests: `components` has accepted the change.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TypedDict

from typing_extensions import Unpack

from dockyard_sandbox.endpoint_runs import Tools
from dockyard_sandbox.endpoint_state import Component, DeployedImage, Replica
from dockyard_sandbox.faults import Rule
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.launch import Launched, LaunchError, LaunchOrder, ModelContainer, explain_capacity, explain_ping
from dockyard_sandbox.models import find_model_container
from dockyard_sandbox.surroundings import ModelSource
from dockyard_sandbox.world import World


class Changes(TypedDict, total=False):
    """Members of a component that a run sets."""

    status: str
    specification: Fields
    copies: int
    images: tuple[DeployedImage, ...]
    replicas: tuple[Replica, ...]
    failure_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRun:
    """One change of one component. `rule` is what goes wrong with it."""

    tools: Tools
    world: World
    name: str
    rule: Rule | None = None

    def create(self) -> None:
        """Creating, then InService or Failed."""
        component = self.world.require_component(self.name)
        try:
            launched = self._launch(component, component.specification, component.desired_copies)
        except LaunchError as error:
            self._put(status="Failed", failure_reason=error.reason)
            return
        self._settle(launched, component.specification, component.desired_copies)

    def update(self, specification: Fields) -> None:
        """Updating, then InService with new copies; or with the old ones and the reason."""
        component = self.world.require_component(self.name)
        try:
            launched = self._launch(component, specification, component.desired_copies)
        except LaunchError as error:
            self._put(status="InService", failure_reason=error.reason)
            return
        self.tools.launcher.stop(component.replicas)
        self._settle(launched, specification, component.desired_copies)

    def scale(self) -> None:
        """Updating, then InService with more or fewer copies."""
        component = self.world.require_component(self.name)
        missing = component.desired_copies - component.copies
        if missing > 0:
            self._add_copies(component, missing)
            return
        kept = min(len(component.replicas), component.desired_copies)
        self.tools.launcher.stop(component.replicas[kept:])
        self.tools.pace.sleep(self.tools.pace.durations.component)
        self._put(status="InService", copies=component.desired_copies, replicas=component.replicas[:kept])

    def delete(self) -> None:
        """Deleting, then gone with its tags."""
        component = self.world.require_component(self.name)
        self.tools.launcher.stop(component.replicas)
        self.tools.pace.sleep(self.tools.pace.durations.stop)
        with self.world.lock:
            self.world.components.pop(self.name.lower(), None)
            self.world.tags.forget(component.arn)
        self.tools.events.tell("inference-component", component.arn, "deleted")

    def _add_copies(self, component: Component, count: int) -> None:
        try:
            launched = self._launch(component, component.specification, count)
        except LaunchError as error:
            self._put(status="InService", failure_reason=error.reason)
            return
        replicas = component.replicas + launched.replicas
        self._put(status="InService", copies=component.desired_copies, replicas=replicas, images=(launched.image,))

    def _settle(self, launched: Launched, specification: Fields, copies: int) -> None:
        self._put(
            status="InService",
            specification=specification,
            copies=copies,
            images=(launched.image,),
            replicas=launched.replicas,
            failure_reason="",
        )

    def _put(self, **changes: Unpack[Changes]) -> None:
        with self.world.lock:
            before = self.world.require_component(self.name)
            after = self.world.put_component(replace(before, modified=time.time(), **changes))
        reason = f": {after.failure_reason}" if after.failure_reason else ""
        self.tools.events.tell("inference-component", after.arn, f"{before.status} -> {after.status}{reason}")

    def _launch(self, component: Component, specification: Fields, count: int) -> Launched:
        if not self.tools.pace.sleep(self.tools.pace.durations.component):
            raise LaunchError("The sandbox was stopped.")
        if self.rule is not None:
            reasons = {"capacity": explain_capacity(), "ping-failure": explain_ping(self._label)}
            raise LaunchError(self.rule.message or reasons.get(self.rule.kind, explain_capacity()))
        return self.tools.launcher.launch(self._order(component, specification, count))

    @property
    def _label(self) -> str:
        return f"inference component {self.name}"

    def _order(self, component: Component, specification: Fields, count: int) -> LaunchOrder:
        return LaunchOrder(
            model=find_component_container(self.world, component.endpoint_name, specification),
            label=self._label,
            region=self.world.place.region,
            log_group=f"/aws/sagemaker/InferenceComponents/{self.name}",
            stream=component.variant_name,
            count=count,
            definition=specification.child("StartupParameters"),
            memory_mb=_read_memory(specification.child("ComputeResourceRequirements")),
        )


def _read_memory(requirements: Fields) -> int | None:
    return requirements.whole("MaxMemoryRequiredInMb") or requirements.whole("MinMemoryRequiredInMb") or None


def find_component_container(world: World, endpoint_name: str, specification: Fields) -> ModelContainer:
    """The container of a component: its model's, or its own. Raises LaunchError."""
    if "ModelName" in specification:
        return find_model_container(world, specification.text("ModelName"))
    container = specification.child("Container")
    config = world.require_endpoint(endpoint_name).live.config
    uri = container.text("ArtifactUrl")
    source = ModelSource(uri=uri, compressed=True, role_arn=config.text("ExecutionRoleArn"), region=world.place.region)
    return ModelContainer(
        image=container.text("Image"),
        environment=container.text_map("Environment"),
        source=source if uri else None,
        isolated=config.flag("EnableNetworkIsolation"),
    )
