"""A rule happens at the calls that it counts to, and at no other."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard_sandbox.calls import CallSite, Permission
from dockyard_sandbox.faults import Faults, FaultScriptError, Rule, read_rules
from dockyard_sandbox.fields import Fields


def make_site(operation: str = "CreateModel", resource: str = "arn:model/m") -> CallSite:
    permissions = (Permission(action=f"sagemaker:{operation}", resource=resource),)
    return CallSite(service="sagemaker", operation=operation, region="r", principal="p", mutating=True, permissions=permissions)


@given(nth=st.integers(1, 5), times=st.integers(0, 5), calls=st.integers(0, 12))
def test_rule_happens_from_the_nth_call_on_so_many_times(nth: int, times: int, calls: int) -> None:
    faults = Faults()
    faults.script([Rule(kind="throttle", nth=nth, times=times)])
    happened = [number for number in range(1, calls + 1) if faults.take_for_call(make_site())]
    expected = [number for number in range(nth, calls + 1) if times == 0 or number < nth + times]
    assert happened == expected


def test_first_rule_that_is_due_happens_and_all_count() -> None:
    faults = Faults()
    faults.script([Rule(kind="slow", nth=2), Rule(kind="throttle", times=0)])
    kinds = [rule.kind for _ in range(3) if (rule := faults.take_for_call(make_site()))]
    assert kinds == ["throttle", "slow", "throttle"]


def test_rules_for_endpoints_are_not_taken_by_calls() -> None:
    faults = Faults()
    faults.script([Rule(kind="capacity", operation="CreateEndpoint")])
    assert faults.take_for_call(make_site("CreateEndpoint")) is None
    assert faults.take_for_endpoint("UpdateEndpoint", "arn") is None
    rule = faults.take_for_endpoint("CreateEndpoint", "arn")
    assert rule is not None
    assert rule.kind == "capacity"


def test_delay_is_that_of_the_kinds_that_are_named() -> None:
    faults = Faults()
    assert faults.consistency_delay("model") == 0
    faults.script([Rule(kind="consistency", resources=("model",), seconds=3), Rule(kind="consistency", seconds=1)])
    assert (faults.consistency_delay("model"), faults.consistency_delay("tags")) == (3, 1)


def test_waiting_for_a_rule_ends_with_the_script() -> None:
    faults = Faults()
    rule = Rule(kind="stuck-creating")
    faults.script([rule])
    thread = threading.Thread(target=faults.wait_until_gone, args=(rule, 100))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    faults.clear()
    thread.join(10)
    assert not thread.is_alive()


def test_rules_are_read_whole() -> None:
    rule = {"kind": "consistency", "service": "*", "operation": "A*", "resource": "*/x", "nth": 2, "times": 3, "seconds": 0.5}
    (read,) = read_rules(Fields({"rules": [{**rule, "resources": ["tags"], "message": "m", "in_progress": True}]}))
    assert read == Rule(
        kind="consistency",
        service="*",
        operation="A*",
        resource="*/x",
        nth=2,
        times=3,
        seconds=0.5,
        resources=("tags",),
        message="m",
        in_progress=True,
    )


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "x"},
        {"kind": "slow", "times": -1},
        {"kind": "slow", "nth": "1"},
        {"kind": "slow", "a": 1},
        {"kind": "consistency", "resources": ["endpoints"]},
    ],
)
def test_rule_that_is_not_understood_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(FaultScriptError):
        read_rules(Fields({"rules": [rule]}))
