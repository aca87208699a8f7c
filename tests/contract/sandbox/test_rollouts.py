"""Updates as boto3 sees them: the new fleet serves when it is proved, and else the old one goes on serving."""

from __future__ import annotations

import pytest

from dockyard_sandbox.faults import Rule
from dockyard_sandbox.surroundings import Surroundings
from dockyard_sandbox.testing import FakeImage, FakeRunner
from support.patience import wait_for
from support.sandbox_control import AlarmsInTests, ControlBench, open_control_bench


def test_update_serves_the_new_configuration_and_stops_the_old_container(bench: ControlBench) -> None:
    bench.make_endpoint()
    (old,) = bench.runner.running
    bench.make_model("m2", "127.0.0.1:1/models/demo:v2")
    bench.make_config("c2", "m2")
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2")
    endpoint = bench.wait()
    assert (endpoint.text("EndpointStatus"), endpoint.text("EndpointConfigName")) == ("InService", "c2")
    assert old.exit_code() is not None
    assert len(bench.runner.running) == 1
    assert "PendingDeploymentSummary" not in endpoint


def test_pending_deployment_is_shown_while_an_update_goes_on(bench: ControlBench) -> None:
    bench.make_endpoint()
    bench.make_config("c2")
    bench.sandbox.pace.change(speed=0)
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2")
    endpoint = bench.describe()
    assert (endpoint.text("EndpointStatus"), endpoint.text("EndpointConfigName")) == ("Updating", "c")
    bench.sandbox.pace.change(speed=5000)
    assert bench.wait().text("EndpointConfigName") == "c2"


def test_update_to_a_broken_image_rolls_back_and_the_old_container_serves() -> None:
    with open_control_bench(FakeRunner(images={"broken": FakeImage(ping=500)})) as bench:
        bench.make_endpoint()
        (old,) = bench.runner.running
        bench.make_model("m2", "127.0.0.1:1/models/broken:v2")
        bench.make_config("c2", "m2")
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2")
        endpoint = bench.wait()
        assert (endpoint.text("EndpointStatus"), endpoint.text("EndpointConfigName")) == ("InService", "c")
        assert "ping" in endpoint.text("FailureReason")
        assert bench.runner.running == [old]
        assert bench.statuses() == ["Creating", "InService", "Updating to c2", "RollingBack", "InService"]


CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
            "WaitIntervalInSeconds": 600,
        },
        "TerminationWaitInSeconds": 60,
    },
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
}


def test_alarm_during_a_canary_rolls_back() -> None:
    alarms = AlarmsInTests()
    with open_control_bench(surroundings=Surroundings(alarms=alarms)) as bench:
        bench.make_endpoint()
        bench.make_config("c2")
        bench.sandbox.pace.change(speed=1000)
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2", DeploymentConfig=CANARY)
        _wait_for_share(bench, 0.25)
        alarms.alarming.add("errors")
        endpoint = bench.wait()
        assert endpoint.text("EndpointConfigName") == "c"
        assert "errors" in endpoint.text("FailureReason")
        assert endpoint["LastDeploymentConfig"] == CANARY
        assert len(bench.runner.running) == 1


ROLLING = {
    "RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 600},
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
}


@pytest.mark.parametrize("deployment", [CANARY, ROLLING])
def test_quiet_alarms_let_the_update_through(deployment: dict[str, object]) -> None:
    with open_control_bench(surroundings=Surroundings(alarms=AlarmsInTests(alarming={"others"}))) as bench:
        bench.make_endpoint()
        bench.make_config("c2")
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2", DeploymentConfig=deployment)
        assert bench.wait().text("EndpointConfigName") == "c2"
        bench.make_config("c3")
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c3", RetainDeploymentConfig=True)
        assert bench.wait()["LastDeploymentConfig"] == deployment


def test_alarm_has_no_say_where_variant_names_differ() -> None:
    with open_control_bench(surroundings=Surroundings(alarms=AlarmsInTests(alarming={"errors"}))) as bench:
        bench.make_endpoint()
        bench.make_config("c2", variant="Other")
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2", DeploymentConfig=CANARY)
        assert bench.wait().text("EndpointConfigName") == "c2"


def test_retained_properties_keep_scaled_counts(bench: ControlBench) -> None:
    bench.make_endpoint()
    scales = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 3, "DesiredWeight": 2.0}]
    bench.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=scales)
    (variant,) = bench.wait().items_of("ProductionVariants")
    assert (variant.whole("CurrentInstanceCount"), variant.number("CurrentWeight")) == (3, 2.0)
    bench.make_config("c2")
    exclude = [{"VariantPropertyType": "DesiredWeight"}]
    retain = {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": exclude}
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2", **retain)
    (variant,) = bench.wait().items_of("ProductionVariants")
    assert (variant.whole("CurrentInstanceCount"), variant.number("CurrentWeight")) == (3, 1.0)
    bench.make_config("c3")
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c3")
    (variant,) = bench.wait().items_of("ProductionVariants")
    assert variant.whole("CurrentInstanceCount") == 1


@pytest.mark.parametrize(
    ("kind", "status", "config", "reason"),
    [
        ("capacity", "InService", "c", "InsufficientInstanceCapacity"),
        ("ping-failure", "InService", "c", "ping"),
        ("rollback-empty-reason", "InService", "c", ""),
        ("update-rollback-failed", "UpdateRollbackFailed", "c", "ping"),
    ],
)
def test_scripted_failure_of_an_update_ends_as_scripted(
    bench: ControlBench, kind: str, status: str, config: str, reason: str
) -> None:
    bench.make_endpoint()
    bench.make_config("c2")
    bench.script(Rule(kind=kind, operation="UpdateEndpoint"))
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2")
    endpoint = bench.wait()
    assert (endpoint.text("EndpointStatus"), endpoint.text("EndpointConfigName")) == (status, config)
    assert reason in endpoint.text("FailureReason")
    assert ("FailureReason" in endpoint) == bool(reason)


def test_endpoint_whose_rollback_failed_is_mended_by_another_update(bench: ControlBench) -> None:
    bench.make_endpoint()
    bench.make_config("c2")
    bench.script(Rule(kind="update-rollback-failed"))
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2")
    bench.wait()
    view = bench.sandbox.find_serving("us-east-1", "e")
    assert view is not None
    assert {target.config_name: target.share for target in view.variants[0].targets} == {"c": 0.5, "c2": 0.5}
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2")
    assert bench.wait().text("EndpointConfigName") == "c2"
    assert len(bench.runner.running) == 1


def _wait_for_share(bench: ControlBench, share: float) -> None:
    def shares() -> bool:
        view = bench.sandbox.find_serving("us-east-1", "e")
        return view is not None and any(abs(target.share - share) < 1e-9 for target in view.variants[0].targets)

    wait_for(shares)
