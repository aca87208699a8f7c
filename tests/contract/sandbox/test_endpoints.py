"""Endpoints as boto3 sees them: asynchronous, exact in what they refuse, and never gone half."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from dockyard_sandbox.faults import Rule
from dockyard_sandbox.pace import TEST_SPEED
from dockyard_sandbox.surroundings import Surroundings
from dockyard_sandbox.testing import FakeImage, FakeRunner
from support.sandbox_control import IMAGE, ROLE, ApiCaller, ControlBench, open_control_bench, read_error

PREFIX = "arn:aws:sagemaker:us-east-1:123456789012:"


def refused(bench: ControlBench, operation: str, **request: object) -> tuple[str, str]:
    """The code and message with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        bench.call(operation, **request)
    return read_error(caught.value)


def test_endpoint_is_creating_until_its_container_is_healthy(bench: ControlBench) -> None:
    bench.sandbox.pace.change(speed=0)
    bench.make_model()
    bench.make_config()
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    created = bench.describe()
    assert created.text("EndpointStatus") == "Creating"
    assert "ProductionVariants" not in created
    bench.sandbox.pace.change(speed=5000)
    endpoint = bench.wait()
    assert endpoint.text("EndpointStatus") == "InService"
    (variant,) = endpoint.items_of("ProductionVariants")
    (image,) = variant.items_of("DeployedImages")
    assert image.text("SpecifiedImage") == IMAGE
    assert image.text("ResolvedImage").startswith("127.0.0.1:1/models/demo@sha256:")
    assert variant.whole("CurrentInstanceCount") == 1


def test_endpoint_is_in_service_within_two_seconds_at_the_pace_of_tests() -> None:
    with open_control_bench(speed=TEST_SPEED) as bench:
        bench.make_model()
        bench.make_config()
        started = time.monotonic()
        bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        bench.wait()
        assert time.monotonic() - started < 2


def test_container_gets_what_sagemaker_gives(bench: ControlBench) -> None:
    container = {"Image": IMAGE, "Environment": {"A": "1"}}
    bench.call("CreateModel", ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE, EnableNetworkIsolation=True)
    bench.make_config()
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    bench.wait()
    (spec,) = bench.runner.started
    assert (spec.argument, spec.port, spec.network, spec.memory_mb) == ("serve", 8080, False, 8192)
    assert "@sha256:" in spec.image
    assert spec.environment["A"] == "1"


def test_serverless_container_gets_its_memory_and_a_foreign_user(bench: ControlBench) -> None:
    bench.make_model()
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variants = [{"VariantName": "AllTraffic", "ModelName": "m", "ServerlessConfig": serverless}]
    bench.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants)
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    (variant,) = bench.wait().items_of("ProductionVariants")
    assert variant["CurrentServerlessConfig"] == serverless
    (spec,) = bench.runner.started
    assert (spec.memory_mb, spec.user) == (2048, "1000:1000")


def test_container_that_fails_ping_makes_the_endpoint_fail_with_the_reason() -> None:
    with open_control_bench(FakeRunner(images={"demo": FakeImage(ping=503)})) as bench:
        endpoint = bench.make_endpoint()
        assert endpoint.text("EndpointStatus") == "Failed"
        assert "did not pass the ping health check" in endpoint.text("FailureReason")
        summary = bench.call("ListEndpoints").items_of("Endpoints")[0]
        assert "FailureReason" not in summary
        assert "Failed" in refused(bench, "UpdateEndpoint", EndpointName="e", EndpointConfigName="c")[1]
        bench.call("DeleteEndpoint", EndpointName="e")
        bench.wait_until_gone()


@pytest.mark.parametrize("image", [FakeImage(exits_with=1), FakeImage(fails_to_start=True)])
def test_container_that_does_not_run_makes_the_endpoint_fail(image: FakeImage) -> None:
    with open_control_bench(FakeRunner(images={"demo": image})) as bench:
        endpoint = bench.make_endpoint()
        assert endpoint.text("EndpointStatus") == "Failed"
        assert endpoint.text("FailureReason")


def test_model_of_several_containers_is_kept_and_its_endpoint_says_that_it_is_not_run(bench: ControlBench) -> None:
    bench.call("CreateModel", ModelName="m", Containers=[{"Image": IMAGE}, {"Image": IMAGE}], ExecutionRoleArn=ROLE)
    bench.make_config()
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    endpoint = bench.wait()
    assert (endpoint.text("EndpointStatus"), "2 containers" in endpoint.text("FailureReason")) == ("Failed", True)


def test_model_that_is_gone_when_its_endpoint_is_made_fails_it(bench: ControlBench) -> None:
    bench.make_model()
    bench.make_config()
    bench.call("DeleteModel", ModelName="m")
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert "Could not find model" in bench.wait().text("FailureReason")


@pytest.mark.parametrize("speed", [0, 5000])
def test_existing_endpoint_is_not_created_again(bench: ControlBench, speed: float) -> None:
    bench.make_model()
    bench.make_config()
    bench.sandbox.pace.change(speed=speed)
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    code, message = refused(bench, "CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert (code, message) == ("ValidationException", f'Cannot create already existing endpoint "{PREFIX}endpoint/e".')


def test_endpoint_in_progress_is_not_changed(bench: ControlBench) -> None:
    bench.make_model()
    bench.make_config()
    bench.sandbox.pace.change(speed=0)
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    expected = ("ValidationException", f'Cannot update in-progress endpoint "{PREFIX}endpoint/e".')
    assert refused(bench, "UpdateEndpoint", EndpointName="e", EndpointConfigName="c") == expected
    assert refused(bench, "DeleteEndpoint", EndpointName="e") == expected
    scales = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    assert (
        refused(bench, "UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=scales) == expected
    )


@pytest.mark.parametrize("operation", ["CreateEndpoint", "UpdateEndpoint"])
def test_one_of_many_that_change_an_endpoint_at_once_wins(bench: ControlBench, operation: str) -> None:
    if operation == "CreateEndpoint":
        bench.make_model()
        bench.make_config()
    else:
        bench.make_endpoint()

    def change(_number: int) -> str:
        try:
            bench.call(operation, EndpointName="e", EndpointConfigName="c")
        except ClientError as error:
            return read_error(error)[1].partition('"')[0].strip()
        return "done"

    bench.sandbox.pace.change(speed=0)
    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(change, range(8)))
    bench.sandbox.pace.change(speed=5000)
    bench.wait()
    lost = "Cannot create already existing endpoint" if operation == "CreateEndpoint" else "Cannot update in-progress endpoint"
    assert outcomes == {"done": 1, lost: 7}
    assert len(bench.runner.running) == 1


def test_deleted_endpoint_leaves_no_container_and_no_tags(bench: ControlBench) -> None:
    bench.make_model()
    bench.make_config()
    tags = [{"Key": "k", "Value": "v"}]
    arn = bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c", Tags=tags).text("EndpointArn")
    bench.wait()
    assert bench.call("ListTags", ResourceArn=arn)["Tags"] == tags
    bench.call("DeleteEndpoint", EndpointName="e")
    bench.wait_until_gone()
    assert not bench.runner.running
    assert "Could not find" in refused(bench, "ListTags", ResourceArn=arn)[1]
    missing = f'Could not find endpoint "{PREFIX}endpoint/e".'
    assert refused(bench, "DescribeEndpoint", EndpointName="e") == ("ValidationException", missing)
    assert refused(bench, "DeleteEndpoint", EndpointName="e") == ("ValidationException", missing)


def test_failed_scale_out_keeps_what_runs(bench: ControlBench) -> None:
    bench.make_endpoint()
    bench.runner.missing = frozenset({"demo"})
    scales = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}]
    bench.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=scales)
    endpoint = bench.wait()
    assert (endpoint.text("EndpointStatus"), "pull" in endpoint.text("FailureReason")) == ("InService", True)
    (variant,) = endpoint.items_of("ProductionVariants")
    assert variant.whole("CurrentInstanceCount") == 1
    assert len(bench.runner.running) == 1


def test_scale_in_stops_containers(bench: ControlBench) -> None:
    bench.make_model()
    bench.make_config(count=2)
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    bench.wait()
    assert len(bench.runner.running) == 2
    scales = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}]
    bench.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=scales)
    bench.wait()
    assert len(bench.runner.running) == 1


def test_second_variant_that_fails_stops_the_first() -> None:
    with open_control_bench(FakeRunner(images={"broken": FakeImage(ping=500)})) as bench:
        bench.make_model()
        bench.make_model("m2", "127.0.0.1:1/models/broken:v1")
        variants = [
            {"VariantName": name, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
            for name, model in (("A", "m"), ("B", "m2"))
        ]
        bench.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants)
        bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        endpoint = bench.wait()
        assert "production variant B" in endpoint.text("FailureReason")
        assert not bench.runner.running


class ArmImages:
    """Every image is for arm64."""

    def find_architectures(self, image: str) -> frozenset[str]:
        assert "@sha256:" in image
        return frozenset({"arm64"})


@pytest.mark.parametrize(("instance_type", "status"), [("ml.m5.large", "Failed"), ("ml.c7g.large", "InService")])
def test_image_for_other_machines_never_becomes_healthy(instance_type: str, status: str) -> None:
    with open_control_bench(surroundings=Surroundings(images=ArmImages())) as bench:
        bench.make_model()
        variant = {"VariantName": "A", "ModelName": "m", "InstanceType": instance_type, "InitialInstanceCount": 1}
        bench.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
        bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
        endpoint = bench.wait()
        assert endpoint.text("EndpointStatus") == status
        assert ("ping" in endpoint.text("FailureReason")) == (status == "Failed")


def test_weights_of_a_variant_that_is_not_there_are_refused(bench: ControlBench) -> None:
    bench.make_endpoint()
    scales = [{"VariantName": "Nobody", "DesiredWeight": 1.0}]
    message = refused(bench, "UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=scales)[1]
    assert "Nobody" in message


def test_configuration_and_model_may_go_while_the_endpoint_serves(bench: ControlBench) -> None:
    bench.make_endpoint()
    bench.call("DeleteEndpointConfig", EndpointConfigName="c")
    bench.call("DeleteModel", ModelName="m")
    assert bench.describe().text("EndpointStatus") == "InService"


@pytest.mark.parametrize(("kind", "reason"), [("capacity", "InsufficientInstanceCapacity"), ("ping-failure", "ping")])
def test_scripted_failure_of_a_creation_fails_the_endpoint(bench: ControlBench, kind: str, reason: str) -> None:
    bench.script(Rule(kind=kind))
    endpoint = bench.make_endpoint()
    assert endpoint.text("EndpointStatus") == "Failed"
    assert reason in endpoint.text("FailureReason")


def test_stuck_endpoint_is_creating_and_cannot_be_deleted_until_the_script_ends(bench: ControlBench) -> None:
    bench.make_model()
    bench.make_config()
    bench.script(Rule(kind="stuck-creating"))
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert "in-progress" in refused(bench, "DeleteEndpoint", EndpointName="e")[1]
    bench.sandbox.faults.clear()
    assert bench.wait().text("EndpointStatus") == "Failed"


def test_names_of_two_regions_do_not_meet(bench: ControlBench) -> None:
    bench.make_model()
    other = ApiCaller("sagemaker", bench.sandbox.url, region="cn-north-1")
    arn = other("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}).text("ModelArn")
    other.close()
    assert arn == "arn:aws-cn:sagemaker:cn-north-1:123456789012:model/m"
