"""Owns the rules of DeploymentConfig, which says how traffic moves and what takes a rollout back. Contacts nothing.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import cast

from dockyard.adapters.sagemaker.violations import Violation

_Params = Mapping[str, object]
_BLUE_GREEN, _ROLLING = ("DeploymentConfig", "BlueGreenUpdatePolicy"), ("DeploymentConfig", "RollingUpdatePolicy")
_ROUTING = (*_BLUE_GREEN, "TrafficRoutingConfiguration")
_SIZES = {"CANARY": ("CanarySize", 1), "LINEAR": ("LinearStepSize", 10)}
"""The member that says how much moves, and the least per cent that it may be."""
_LEAST_BATCH, _MOST = 5, 50


def find_rollout_violations(config: _Params) -> Iterator[Violation]:
    """What contradicts itself in a DeploymentConfig."""
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        yield Violation(path=_ROLLING, message="cannot be together with BlueGreenUpdatePolicy")
    if "BlueGreenUpdatePolicy" in config:
        yield from _check_blue_green(_map(config["BlueGreenUpdatePolicy"]))
    if "RollingUpdatePolicy" in config:
        yield from _check_rolling(_map(config["RollingUpdatePolicy"]))


def _check_blue_green(policy: _Params) -> Iterator[Violation]:
    routing = _map(policy.get("TrafficRoutingConfiguration"))
    kind = str(routing.get("Type"))
    wanted, least = _SIZES.get(kind, ("", 0))
    for member, _ in _SIZES.values():
        if (member == wanted) != (member in routing):
            what = "is missing" if member == wanted else "has no meaning"
            yield Violation(path=(*_ROUTING, member), message=f"{what} where traffic moves {kind}")
    size = _map(routing.get(wanted))
    yield from _check_size((*_ROUTING, wanted), size, least=least)
    wait, last = _number(routing, "WaitIntervalInSeconds"), _number(policy, "TerminationWaitInSeconds")
    watched = max(1, _count_steps(size) - 1) if kind == "LINEAR" else 1  # the last share is watched for the termination wait
    yield from _check_time(_BLUE_GREEN, policy, wait * watched + last)


def _check_rolling(policy: _Params) -> Iterator[Violation]:
    size = _map(policy.get("MaximumBatchSize"))
    yield from _check_size((*_ROLLING, "MaximumBatchSize"), size, least=_LEAST_BATCH)
    yield from _check_time(_ROLLING, policy, _number(policy, "WaitIntervalInSeconds") * _count_steps(size))


def _check_size(path: tuple[str, ...], size: _Params, *, least: int) -> Iterator[Violation]:
    value = size.get("Value")
    if size.get("Type") == "CAPACITY_PERCENT" and isinstance(value, int) and not least <= value <= _MOST:
        yield Violation(path=(*path, "Value"), message=f"is {value} %; the service takes {least} to {_MOST} %")


def _check_time(path: tuple[str, ...], policy: _Params, waits: int) -> Iterator[Violation]:
    limit = policy.get("MaximumExecutionTimeoutInSeconds")
    if isinstance(limit, int) and limit <= waits:
        message = f"is {limit}, and the waits of the rollout are {waits} together; it must be more"
        yield Violation(path=(*path, "MaximumExecutionTimeoutInSeconds"), message=message)


def _count_steps(size: _Params) -> int:
    """How many times traffic moves; instances cannot be counted without knowing how many there are."""
    value = size.get("Value")
    if size.get("Type") != "CAPACITY_PERCENT" or not isinstance(value, int) or value < 1:
        return 1
    return math.ceil(100 / value)


def _number(params: _Params, name: str) -> int:
    value = params.get(name, 0)
    return value if isinstance(value, int) else 0


def _map(value: object) -> _Params:
    return cast("_Params", value) if isinstance(value, Mapping) else {}
