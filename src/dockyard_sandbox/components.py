"""Inference components as a whole: accepts a change under the world's lock, and hands it to a worker.

Owns which change is allowed in which state. Must not wait: `component_runs` does.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from dockyard_sandbox.component_runs import ComponentRun
from dockyard_sandbox.endpoint_runs import Tools
from dockyard_sandbox.endpoint_state import Component, Endpoint, Variant
from dockyard_sandbox.errors import refuse, refuse_existing, refuse_in_progress
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.workers import Workers
from dockyard_sandbox.world import World, read_tags


class Components:
    """Accepts changes of inference components."""

    def __init__(self, tools: Tools, workers: Workers) -> None:
        self._tools = tools
        self._workers = workers

    def create(self, world: World, request: Fields, specification: Fields) -> Component:
        """Begin to create a component. Raises ApiError where there is one, or its endpoint does not take it."""
        name = request.text("InferenceComponentName")
        arn = world.place.name_resource("inference-component", name)
        now = time.time()
        with world.lock:
            if name.lower() in world.components:
                raise refuse_existing("inference component", arn)
            endpoint = world.require_seen_endpoint(request.text("EndpointName"))
            if endpoint.in_progress:
                raise refuse_in_progress("endpoint", endpoint.arn)
            component = Component(
                name=name,
                arn=arn,
                endpoint_name=endpoint.name,
                variant_name=_find_variant(endpoint, request.text("VariantName")).name,
                status="Creating",
                specification=specification,
                desired_copies=request.child("RuntimeConfig").whole("CopyCount", 1),
                created=now,
                modified=now,
                visible_from=now + world.delay("inference-component"),
            )
            world.tags.put(arn, read_tags(request))
            world.put_component(component)
        self._workers.run(f"create {name}", self._make_run(world, arn, name, "CreateInferenceComponent").create)
        return component

    def update(self, world: World, name: str, specification: Fields | None, copies: int | None) -> Component:
        """Begin to change what a component runs, or how often. Raises ApiError unless it is settled."""
        with world.lock:
            component = self._require_settled(world, name)
            desired = component.desired_copies if copies is None else copies
            begun = world.put_component(replace(component, status="Updating", desired_copies=desired, modified=time.time()))
        run = self._make_run(world, component.arn, name, "UpdateInferenceComponent")
        self._workers.run(f"update {name}", run.scale if specification is None else partial(run.update, specification))
        return begun

    def delete(self, world: World, name: str) -> None:
        """Begin to delete a component. Raises ApiError while it is in progress."""
        with world.lock:
            component = world.require_seen_component(name)
            if component.in_progress:
                raise refuse_in_progress("inference component", component.arn)
            world.put_component(replace(component, status="Deleting", modified=time.time()))
        self._workers.run(f"delete {name}", ComponentRun(tools=self._tools, world=world, name=name).delete)

    def _make_run(self, world: World, arn: str, name: str, operation: str) -> ComponentRun:
        return ComponentRun(
            tools=self._tools, world=world, name=name, rule=self._tools.faults.take_for_endpoint(operation, arn)
        )

    def _require_settled(self, world: World, name: str) -> Component:
        component = world.require_seen_component(name)
        if component.in_progress:
            raise refuse_in_progress("inference component", component.arn)
        return component


def _find_variant(endpoint: Endpoint, name: str) -> Variant:
    variant = endpoint.live.find(name) if name else endpoint.live.variants[0]
    if variant is None:
        raise refuse(f'Could not find variant "{name}" of endpoint "{endpoint.arn}".')
    if variant.model_name:
        raise refuse(
            f'Variant "{variant.name}" of endpoint "{endpoint.arn}" has a model: it can not host inference components.'
        )
    return variant
