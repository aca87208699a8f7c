"""Endpoints as a whole: accepts a change under the world's lock, and hands it to a worker.

Owns which change is allowed in which state. Must not check shapes (`shapes` has) nor wait: `endpoint_runs` does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from dockyard_sandbox.endpoint_runs import EndpointRun, Tools
from dockyard_sandbox.endpoint_state import Deployed, Endpoint, Variant
from dockyard_sandbox.endpoint_view import view_serving
from dockyard_sandbox.errors import ApiError, refuse, refuse_existing, refuse_in_progress
from dockyard_sandbox.faults import Rule
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.rollout_plan import plan_rollout
from dockyard_sandbox.serving import ServingEndpoint
from dockyard_sandbox.workers import Workers
from dockyard_sandbox.world import Record, World, Worlds, read_tags

SOMEONE_ELSE = "-by-someone-else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """Which properties of the running variants an update keeps."""

    counts: bool = False
    weights: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The weight and count that a variant is to have; None keeps it."""

    weight: float | None = None
    count: int | None = None


class Endpoints:
    """Accepts changes of endpoints."""

    def __init__(self, worlds: Worlds, tools: Tools, workers: Workers) -> None:
        self._worlds = worlds
        self._tools = tools
        self._workers = workers

    def create(self, world: World, request: Fields, config: Record) -> Endpoint:
        """Begin to create an endpoint. Raises ApiError where there is one."""
        name = request.text("EndpointName")
        arn = world.place.name_resource("endpoint", name)
        now = time.time()
        with world.lock:
            if world.find_endpoint(name):
                raise refuse_existing("endpoint", arn)
            endpoint = Endpoint(
                name=name,
                arn=arn,
                region=world.place.region,
                status="Creating",
                live=prepare_deployed(config, activity=None),
                created=now,
                modified=now,
                last_deployment=request.child("DeploymentConfig") if "DeploymentConfig" in request else None,
                visible_from=now + world.delay("endpoint"),
            )
            world.tags.put(arn, read_tags(request))
            world.put_endpoint(endpoint)
        self._tools.events.tell("endpoint", arn, "Creating")
        run = self._make_run(world, name, self._tools.faults.take_for_endpoint("CreateEndpoint", arn))
        self._workers.run(f"create {name}", run.create)
        return endpoint

    def update(self, world: World, name: str, config: Record, *, deployment: Fields | None, retained: Retained) -> Endpoint:
        """Begin to move an endpoint to another configuration. Raises ApiError unless it is settled."""
        with world.lock:
            endpoint = self._require_settled(world, name)
            leftover = endpoint.pending
            target = _retain(prepare_deployed(config, activity="Creating"), endpoint.live, retained)
            plan = plan_rollout(deployment, endpoint.live, target)
            begun = replace(
                endpoint, status="Updating", last_deployment=deployment, pending=None, shift=0.0, modified=time.time()
            )
            world.put_endpoint(begun)
        self._tools.events.tell("endpoint", endpoint.arn, f"{endpoint.status} -> Updating to {config.name}")
        run = self._make_run(world, name, self._tools.faults.take_for_endpoint("UpdateEndpoint", endpoint.arn))
        self._workers.run(f"update {name}", partial(run.update, target, plan, leftover))
        return begun

    def scale(self, world: World, name: str, scales: Mapping[str, Scale]) -> Endpoint:
        """Begin to give variants other weights and counts. Raises ApiError unless it is settled and has these variants."""
        with world.lock:
            endpoint = self._require_settled(world, name)
            for variant_name in scales:
                if not any(variant.name == variant_name for variant in endpoint.live.variants):
                    raise refuse(f'Could not find variant "{variant_name}" of endpoint "{endpoint.arn}".')
            variants = tuple(_scale(variant, scales.get(variant.name, Scale())) for variant in endpoint.live.variants)
            target = replace(endpoint.live, variants=variants)
            begun = world.put_endpoint(replace(endpoint, status="Updating", live=target, modified=time.time()))
        self._tools.events.tell("endpoint", endpoint.arn, "InService -> Updating weights and capacities")
        run = self._make_run(world, name, None)
        self._workers.run(f"scale {name}", lambda: run.scale(target))
        return begun

    def delete(self, world: World, name: str) -> None:
        """Begin to delete an endpoint. Raises ApiError while it is in progress, or has inference components."""
        with world.lock:
            endpoint = world.require_seen_endpoint(name)
            if endpoint.in_progress:
                raise refuse_in_progress("endpoint", endpoint.arn)
            if any(component.endpoint_name == endpoint.name for component in world.components.values()):
                raise refuse(f'Cannot delete endpoint "{endpoint.arn}" while it has inference components.')
            world.put_endpoint(replace(endpoint, status="Deleting", modified=time.time()))
        self._tools.events.tell("endpoint", endpoint.arn, f"{endpoint.status} -> Deleting")
        self._workers.run(f"delete {name}", self._make_run(world, name, None).delete)

    def interfere(self, world: World, name: str, rule: Rule) -> None:
        """Do what somebody else does to an endpoint; nothing where it is missing or not settled."""
        with world.lock:
            endpoint = world.find_endpoint(name)
            if endpoint is None or endpoint.status != "InService" or endpoint.visible_from > time.time():
                return
            if rule.kind == "changed-by-someone":
                self._change_as_someone_else(world, endpoint, in_progress=rule.in_progress)
            elif rule.kind == "deleted-by-someone":
                with suppress(ApiError):  # one with inference components stays
                    self.delete(world, name)
            else:
                self._maintain(world, endpoint, rule.seconds)

    def _maintain(self, world: World, endpoint: Endpoint, seconds: float) -> None:
        world.put_endpoint(replace(endpoint, status="SystemUpdating", modified=time.time()))
        self._tools.events.tell("endpoint", endpoint.arn, "InService -> SystemUpdating")
        run = self._make_run(world, endpoint.name, None)
        self._workers.run(f"maintain {endpoint.name}", partial(run.maintain, seconds))

    def _change_as_someone_else(self, world: World, endpoint: Endpoint, *, in_progress: bool) -> None:
        with world.lock:
            config_name = f"{endpoint.live.config_name[:40]}{SOMEONE_ELSE}"
            table = world.table("endpoint-config")
            request = Fields({**endpoint.live.config, "EndpointConfigName": config_name, "Tags": []})
            config = table.find(config_name) or table.add(config_name, request)
            if not in_progress:
                live = replace(endpoint.live, config_name=config_name)
                world.put_endpoint(replace(endpoint, live=live, modified=time.time()))
        self._tools.events.tell("endpoint", endpoint.arn, f"someone else changed it to {config_name}")
        if in_progress:
            self.update(world, endpoint.name, config, deployment=None, retained=Retained())

    def find_serving(self, region: str, name: str) -> ServingEndpoint | None:
        """What the data plane sees of an endpoint."""
        world = self._worlds.in_region(region)
        with world.lock:
            endpoint = world.find_endpoint(name)
            components = [one for one in world.components.values() if one.endpoint_name.lower() == name.lower()]
        return view_serving(endpoint, components) if endpoint else None

    def stop_all(self) -> None:
        """Stop every container: the sandbox ends."""
        for world in self._worlds:
            with world.lock:
                fleets = [
                    fleet for endpoint in world.endpoints.values() for fleet in (endpoint.live, endpoint.pending) if fleet
                ]
                variants = [variant for fleet in fleets for variant in fleet.all_variants]
                replicas = [replica for variant in variants for replica in variant.replicas]
                replicas += [replica for component in world.components.values() for replica in component.replicas]
            self._tools.launcher.stop(replicas)

    def _make_run(self, world: World, name: str, rule: Rule | None) -> EndpointRun:
        return EndpointRun(tools=self._tools, world=world, name=name, rule=rule)

    def _require_settled(self, world: World, name: str) -> Endpoint:
        endpoint = world.require_seen_endpoint(name)
        if endpoint.in_progress:
            raise refuse_in_progress("endpoint", endpoint.arn)
        if endpoint.status == "Failed":
            raise refuse(f'Cannot update endpoint "{endpoint.arn}" in status Failed: it can only be deleted.')
        return endpoint


def prepare_deployed(config: Record, *, activity: str | None) -> Deployed:
    """A configuration with nothing running yet."""
    since = time.time()

    def prepare(definition: Fields) -> Variant:
        return Variant(
            name=definition.text("VariantName"),
            definition=definition,
            desired_weight=definition.number("InitialVariantWeight", 1.0),
            desired_count=definition.whole("InitialInstanceCount", 0 if "ServerlessConfig" in definition else 1),
            activity=(activity, since) if activity else None,
        )

    return Deployed(
        config_name=config.name,
        config=config.request,
        variants=tuple(prepare(one) for one in config.request.items_of("ProductionVariants")),
        shadows=tuple(prepare(one) for one in config.request.items_of("ShadowProductionVariants")),
    )


def _retain(target: Deployed, live: Deployed, retained: Retained) -> Deployed:
    def retain(variant: Variant) -> Variant:
        before = live.find(variant.name)
        if before is None:
            return variant
        count = before.desired_count if retained.counts else variant.desired_count
        weight = before.desired_weight if retained.weights else variant.desired_weight
        return replace(variant, desired_count=count, desired_weight=weight)

    return replace(target, variants=tuple(retain(variant) for variant in target.variants))


def _scale(variant: Variant, scale: Scale) -> Variant:
    weight = variant.desired_weight if scale.weight is None else scale.weight
    count = variant.desired_count if scale.count is None else scale.count
    return replace(variant, desired_weight=weight, desired_count=count)
