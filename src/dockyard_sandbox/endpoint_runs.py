"""What happens to an endpoint between a call and its settled state: provisioning, health, rollout, rollback, scaling, the end.

Owns the steps, one function for each kind of change, run in a worker. Must not check requests: `endpoints` has accepted
the change.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypedDict

from typing_extensions import Unpack

from dockyard_sandbox.endpoint_state import Deployed, Endpoint, Replica, Variant
from dockyard_sandbox.events import Events
from dockyard_sandbox.faults import Faults, Rule
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.launch import Launcher, LaunchError, LaunchOrder, explain_capacity, explain_ping
from dockyard_sandbox.models import find_model_container
from dockyard_sandbox.pace import Pace
from dockyard_sandbox.rollout_plan import RolloutPlan, Step
from dockyard_sandbox.surroundings import Alarms
from dockyard_sandbox.world import World

STUCK_SECONDS = 24 * 3600.0
_SLICES = 10


class Changes(TypedDict, total=False):
    """Members of an endpoint that a run sets."""

    status: str
    live: Deployed
    pending: Deployed | None
    pending_since: float
    shift: float
    failure_reason: str


class RollbackNeeded(Exception):  # noqa: N818 it is an order to the run, not a failure
    """The new fleet must not serve; `reason` is the FailureReason, which may be empty."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What runs work with."""

    pace: Pace
    faults: Faults
    events: Events
    launcher: Launcher
    alarms: Alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRun:
    """One change of one endpoint. `rule` is what goes wrong with it."""

    tools: Tools
    world: World
    name: str
    rule: Rule | None = None

    def create(self) -> None:
        """Creating, then InService or Failed."""
        endpoint = self.world.require_endpoint(self.name)
        try:
            live = self._start(endpoint.live)
        except LaunchError as error:
            self._put(status="Failed", failure_reason=error.reason)
            return
        if not self._end_if_closed(live):
            self._put(status="InService", live=live)

    def update(self, target: Deployed, plan: RolloutPlan, leftover: Deployed | None = None) -> None:
        """Updating, then InService with the target; or RollingBack, then InService with what was live before.

        `leftover` is the fleet that a failed rollback has left.
        """
        self._stop(leftover)
        try:
            self._put(pending=target, pending_since=time.time())
            green = self._start(target)
            if self._end_if_closed(green):
                return
            self._put(pending=green)
            for step in plan.steps:
                self._take_step(step, plan.alarms)
        except LaunchError as error:
            self._roll_back("" if self._is("rollback-empty-reason") else error.reason)
        except RollbackNeeded as error:
            self._roll_back(error.reason)
        else:
            self._finish()

    def scale(self, target: Deployed) -> None:
        """Updating, then InService with other weights and counts."""
        endpoint = self.world.require_endpoint(self.name)
        if not self.tools.pace.sleep(self.tools.pace.durations.scale):
            return
        try:
            variants = tuple(self._scale_variant(variant, endpoint.live.find(variant.name)) for variant in target.variants)
        except LaunchError as error:
            self._put(status="InService", failure_reason=error.reason)
            return
        self._put(status="InService", live=replace(target, variants=variants))

    def maintain(self, seconds: float) -> None:
        """SystemUpdating for so many of our seconds, then InService as before."""
        self.tools.pace.pause(seconds)
        self._put(status="InService")

    def delete(self) -> None:
        """Deleting, then gone with its tags."""
        endpoint = self.world.require_endpoint(self.name)
        self._stop(endpoint.live, endpoint.pending)
        self.tools.pace.sleep(self.tools.pace.durations.stop)
        with self.world.lock:
            self.world.endpoints.pop(self.name.lower(), None)
            self.world.tags.forget(endpoint.arn)
        self.tools.events.tell("endpoint", endpoint.arn, "deleted")

    def _is(self, *kinds: str) -> bool:
        return self.rule is not None and self.rule.kind in kinds

    def _put(self, **changes: Unpack[Changes]) -> Endpoint:
        with self.world.lock:
            before = self.world.require_endpoint(self.name)
            after = self.world.put_endpoint(replace(before, modified=time.time(), **changes))
        if after.status != before.status:
            reason = f": {after.failure_reason}" if after.failure_reason else ""
            self.tools.events.tell("endpoint", after.arn, f"{before.status} -> {after.status}{reason}")
        return after

    def _start(self, deployed: Deployed) -> Deployed:
        self._wait_for_capacity(deployed)
        started: list[Variant] = []
        try:
            for variant in deployed.all_variants:
                started.append(self._start_variant(deployed, variant))  # noqa: PERF401 what has started must be known on failure
        except LaunchError:
            self._stop_replicas(replica for variant in started for replica in variant.replicas)
            raise
        count = len(deployed.variants)
        return replace(deployed, variants=tuple(started[:count]), shadows=tuple(started[count:]))

    def _wait_for_capacity(self, deployed: Deployed) -> None:
        if self.rule is not None and self.rule.kind == "stuck-creating":
            self.tools.faults.wait_until_gone(self.rule, self.rule.seconds or STUCK_SECONDS)
            raise LaunchError(explain_capacity())
        if not self.tools.pace.sleep(self.tools.pace.durations.provision):
            raise LaunchError("The sandbox was stopped.")
        if self._is("capacity"):
            raise LaunchError(self.rule.message if self.rule and self.rule.message else explain_capacity())
        if self._is("ping-failure", "rollback-empty-reason"):
            raise LaunchError(explain_ping(f"production variant {deployed.variants[0].name}"))

    def _start_variant(self, deployed: Deployed, variant: Variant) -> Variant:
        settled = replace(variant, weight=variant.desired_weight, count=variant.desired_count, activity=None)
        if not variant.model_name:
            return settled  # inference components bring the containers
        launched = self.tools.launcher.launch(self._order(deployed.config, variant, max(1, variant.desired_count)))
        return replace(settled, images=(launched.image,), replicas=launched.replicas)

    def _order(self, config: Fields, variant: Variant, count: int) -> LaunchOrder:
        model = find_model_container(self.world, variant.model_name)
        return LaunchOrder(
            model=replace(model, isolated=model.isolated or config.flag("EnableNetworkIsolation")),
            label=f"production variant {variant.name}",
            region=self.world.place.region,
            log_group=f"/aws/sagemaker/Endpoints/{self.name}",
            stream=variant.name,
            count=count,
            definition=variant.definition,
        )

    def _take_step(self, step: Step, alarms: tuple[str, ...]) -> None:
        share = 0.5 if self._is("update-rollback-failed") else step.share
        self._put(shift=share, pending=self._mark("ActivatingTraffic"))
        self.tools.pace.sleep(self.tools.pace.durations.shift)
        if self._is("update-rollback-failed"):
            raise RollbackNeeded(explain_ping("the new fleet"))
        if alarms:
            self._put(pending=self._mark("Baking"))
            self._bake(step.bake, alarms)
        else:
            self.tools.pace.sleep(step.bake)

    def _bake(self, seconds: float, alarms: tuple[str, ...]) -> None:
        left = seconds
        while True:
            found = self.tools.alarms.find_alarming(self.world.place.region, alarms)
            if found:
                raise RollbackNeeded(f"One or more alarms are in ALARM state: {', '.join(found)}.")
            if left <= 0 or self.tools.pace.is_closed:
                return
            part = min(left, max(seconds / _SLICES, 0.05 * self.tools.pace.speed))
            self.tools.pace.sleep(part)
            left -= part

    def _mark(self, activity: str) -> Deployed | None:
        pending = self.world.require_endpoint(self.name).pending
        if pending is None:
            return None
        now = time.time()
        return replace(pending, variants=tuple(replace(variant, activity=(activity, now)) for variant in pending.variants))

    def _finish(self) -> None:
        endpoint = self.world.require_endpoint(self.name)
        old, new = endpoint.live, endpoint.pending
        if new is None or self.tools.pace.is_closed:
            return
        settled = replace(new, variants=tuple(replace(variant, activity=None) for variant in new.variants))
        self._put(shift=1.0)
        self._stop(old)  # whoever sees InService sees one fleet
        self._put(status="InService", live=settled, pending=None, shift=0.0, failure_reason="")

    def _roll_back(self, reason: str) -> None:
        endpoint = self._put(status="RollingBack")
        if self._is("update-rollback-failed"):
            self._put(status="UpdateRollbackFailed", failure_reason=reason)
            return
        self._put(shift=0.0)
        self.tools.pace.sleep(self.tools.pace.durations.shift)
        self._stop(endpoint.pending)
        self._put(status="InService", pending=None, failure_reason=reason)

    def _scale_variant(self, variant: Variant, before: Variant | None) -> Variant:
        settled = replace(variant, weight=variant.desired_weight, count=variant.desired_count)
        missing = variant.desired_count - (before.count if before else 0)
        if missing > 0 and variant.model_name:
            config = self.world.require_endpoint(self.name).live.config
            more = self.tools.launcher.launch(self._order(config, variant, missing))
            return replace(settled, replicas=variant.replicas + more.replicas)
        kept = max(1, variant.desired_count)
        if missing < 0 and len(variant.replicas) > kept:
            self._stop_replicas(variant.replicas[kept:])
            return replace(settled, replicas=variant.replicas[:kept])
        return settled

    def _end_if_closed(self, deployed: Deployed) -> bool:
        if self.tools.pace.is_closed:
            self._stop(deployed)
        return self.tools.pace.is_closed

    def _stop(self, *fleets: Deployed | None) -> None:
        self._stop_replicas(
            replica for fleet in fleets if fleet for variant in fleet.all_variants for replica in variant.replicas
        )

    def _stop_replicas(self, replicas: Iterable[Replica]) -> None:
        self.tools.launcher.stop(replicas)
