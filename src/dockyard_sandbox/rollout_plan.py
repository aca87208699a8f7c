"""What a deployment configuration means: which share of the traffic goes to the new fleet, and how long each step is watched.

Owns the rules of DeploymentConfig. Pure: must not wait, start or stop anything.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dockyard_sandbox.endpoint_state import Deployed
from dockyard_sandbox.errors import refuse
from dockyard_sandbox.fields import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`share` of the traffic on the new fleet, watched for `bake` of AWS's seconds."""

    share: float
    bake: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """The steps of an update, and the alarms that end it."""

    steps: tuple[Step, ...]
    alarms: tuple[str, ...] = ()


AT_ONCE = RolloutPlan(steps=(Step(share=1.0, bake=0.0),))
"""Without a configuration, and where it silently does not apply: no baking, so no alarm has a chance."""


def check_deployment(deployment: Fields) -> None:
    """Raises ApiError for a DeploymentConfig that contradicts itself."""
    if "BlueGreenUpdatePolicy" in deployment and "RollingUpdatePolicy" in deployment:
        raise refuse("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified in DeploymentConfig.")
    if "RollingUpdatePolicy" in deployment:
        _check_rolling(deployment.child("RollingUpdatePolicy"))
    elif "BlueGreenUpdatePolicy" in deployment:
        _check_blue_green(deployment.child("BlueGreenUpdatePolicy"))


def _check_rolling(policy: Fields) -> None:
    _check_size("MaximumBatchSize", policy.child("MaximumBatchSize"), low=5)
    if "RollbackMaximumBatchSize" in policy:
        _check_size("RollbackMaximumBatchSize", policy.child("RollbackMaximumBatchSize"), low=5, high=100)
    _check_limit(policy, policy.number("WaitIntervalInSeconds"))


def _check_blue_green(policy: Fields) -> None:
    routing = policy.child("TrafficRoutingConfiguration")
    kind = routing.text("Type")
    wanted = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    for size in ("CanarySize", "LinearStepSize"):
        if (size == wanted) != (size in routing):
            must = "must be" if size == wanted else "can not be"
            raise refuse(f"{size} {must} specified when the traffic routing type is {kind}.")
    if wanted:
        _check_size(wanted, routing.child(wanted), low=10 if kind == "LINEAR" else 1)
    _check_limit(policy, routing.number("WaitIntervalInSeconds") + policy.number("TerminationWaitInSeconds"))


def _check_size(name: str, size: Fields, *, low: int, high: int = 50) -> None:
    if size.text("Type") == "CAPACITY_PERCENT" and not low <= size.whole("Value") <= high:
        raise refuse(f"{name} must be between {low} and {high} percent of the endpoint's capacity.")


def _check_limit(policy: Fields, waits: float) -> None:
    limit = policy.number("MaximumExecutionTimeoutInSeconds")
    if limit and limit <= waits:
        raise refuse(
            f"MaximumExecutionTimeoutInSeconds ({limit:.0f}) must be greater than the waits of the deployment ({waits:.0f})."
        )


def plan_rollout(deployment: Fields | None, live: Deployed, target: Deployed) -> RolloutPlan:
    """The steps from the live fleet to the target. Guardrails need the same variant names on both sides; else all at once."""
    names = {variant.name for variant in target.variants}
    if not deployment or names != {variant.name for variant in live.variants}:
        return AT_ONCE
    alarms = deployment.child("AutoRollbackConfiguration").items_of("Alarms")
    total = sum(variant.desired_count for variant in target.variants) or 1
    if "RollingUpdatePolicy" in deployment:
        steps = _plan_rolling(deployment.child("RollingUpdatePolicy"), total)
    elif "BlueGreenUpdatePolicy" in deployment:
        steps = _plan_blue_green(deployment.child("BlueGreenUpdatePolicy"), total)
    else:
        steps = AT_ONCE.steps
    return RolloutPlan(steps=steps, alarms=tuple(alarm.text("AlarmName") for alarm in alarms))


def _plan_rolling(policy: Fields, total: int) -> tuple[Step, ...]:
    wait = policy.number("WaitIntervalInSeconds")
    return _climb(_read_share(policy.child("MaximumBatchSize"), total), wait, last=wait)


def _plan_blue_green(policy: Fields, total: int) -> tuple[Step, ...]:
    routing = policy.child("TrafficRoutingConfiguration")
    wait, last = routing.number("WaitIntervalInSeconds"), policy.number("TerminationWaitInSeconds")
    kind = routing.text("Type")
    if kind == "CANARY":
        return (Step(share=_read_share(routing.child("CanarySize"), total), bake=wait), Step(share=1.0, bake=last))
    if kind == "LINEAR":
        return _climb(_read_share(routing.child("LinearStepSize"), total), wait, last=last)
    return (Step(share=1.0, bake=wait + last),)


def _climb(share: float, wait: float, *, last: float) -> tuple[Step, ...]:
    count = math.ceil(1 / share - 1e-9)
    steps = [Step(share=round(min(1.0, share * number), 6), bake=wait) for number in range(1, count)]
    return (*steps, Step(share=1.0, bake=last))


def _read_share(size: Fields, total: int) -> float:
    value = size.whole("Value")
    share = value / 100 if size.text("Type") == "CAPACITY_PERCENT" else value / total
    return min(1.0, share)
