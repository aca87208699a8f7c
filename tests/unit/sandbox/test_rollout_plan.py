"""A deployment configuration becomes the steps that SageMaker documents; where it does not apply, everything moves at once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dockyard_sandbox.endpoint_state import Deployed, Variant
from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.rollout_plan import AT_ONCE, Step, check_deployment, plan_rollout


def make_deployed(*names: str, count: int = 4) -> Deployed:
    variants = tuple(Variant(name=name, definition=Fields({}), desired_weight=1.0, desired_count=count) for name in names)
    return Deployed(config_name="c", config=Fields({}), variants=variants)


def route(kind: str, wait: int, **sizes: object) -> dict[str, object]:
    return {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}


def size(value: int, kind: str = "CAPACITY_PERCENT") -> dict[str, object]:
    return {"Type": kind, "Value": value}


def blue_green(routing: Mapping[str, object], **more: object) -> Fields:
    return Fields({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **more}})


@pytest.mark.parametrize(
    ("deployment", "steps"),
    [
        (blue_green(route("ALL_AT_ONCE", 30), TerminationWaitInSeconds=60), [(1.0, 90)]),
        (blue_green(route("CANARY", 30, CanarySize=size(25)), TerminationWaitInSeconds=60), [(0.25, 30), (1.0, 60)]),
        (blue_green(route("CANARY", 30, CanarySize=size(1, "INSTANCE_COUNT"))), [(0.25, 30), (1.0, 0)]),
        (blue_green(route("LINEAR", 30, LinearStepSize=size(30))), [(0.3, 30), (0.6, 30), (0.9, 30), (1.0, 0)]),
        (blue_green(route("LINEAR", 30, LinearStepSize=size(50))), [(0.5, 30), (1.0, 0)]),
        (Fields({"RollingUpdatePolicy": {"MaximumBatchSize": size(50), "WaitIntervalInSeconds": 20}}), [(0.5, 20), (1.0, 20)]),
        (Fields({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}), [(1.0, 0)]),
    ],
)
def test_configuration_becomes_its_steps(deployment: Fields, steps: list[tuple[float, float]]) -> None:
    plan = plan_rollout(deployment, make_deployed("A"), make_deployed("A"))
    assert plan.steps == tuple(Step(share=share, bake=bake) for share, bake in steps)


def test_alarms_are_those_of_the_configuration() -> None:
    deployment = Fields({**blue_green(route("ALL_AT_ONCE", 0)), "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}})
    assert plan_rollout(deployment, make_deployed("A"), make_deployed("A")).alarms == ("a",)


@pytest.mark.parametrize(("live", "target"), [(("A",), ("B",)), (("A",), ("A", "B")), (("A", "B"), ("A",))])
def test_other_variant_names_lose_every_guardrail(live: tuple[str, ...], target: tuple[str, ...]) -> None:
    deployment = Fields({**blue_green(route("ALL_AT_ONCE", 9)), "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}})
    assert plan_rollout(deployment, make_deployed(*live), make_deployed(*target)) == AT_ONCE


def test_no_configuration_moves_everything_at_once() -> None:
    assert plan_rollout(None, make_deployed("A"), make_deployed("A")) == AT_ONCE


@pytest.mark.parametrize(
    "deployment",
    [
        Fields({"RollingUpdatePolicy": {"MaximumBatchSize": size(60), "WaitIntervalInSeconds": 0}}),
        Fields({"RollingUpdatePolicy": {"MaximumBatchSize": size(4), "WaitIntervalInSeconds": 0}}),
        Fields({**blue_green(route("ALL_AT_ONCE", 0)), "RollingUpdatePolicy": {"MaximumBatchSize": size(50)}}),
        blue_green(route("LINEAR", 0)),
    ],
)
def test_configuration_that_contradicts_itself_is_refused(deployment: Fields) -> None:
    with pytest.raises(ApiError) as caught:
        check_deployment(deployment)
    assert caught.value.code == "ValidationException"
