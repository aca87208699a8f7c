"""Inference components: models on an endpoint that has none of its own, scaled by copies down to none."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from dockyard_sandbox.faults import Rule
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.testing import FakeImage, FakeRunner
from support.sandbox_control import IMAGE, ROLE, UNSEEN_SECONDS, ControlBench, open_control_bench, read_error

COMPUTE = {"NumberOfCpuCoresRequired": 1.0, "MinMemoryRequiredInMb": 1024}


def make_host(bench: ControlBench) -> None:
    """An endpoint without models."""
    scaling = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 2}
    variant = {
        "VariantName": "AllTraffic",
        "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 1,
        "ManagedInstanceScaling": scaling,
    }
    bench.call("CreateEndpointConfig", EndpointConfigName="c", ExecutionRoleArn=ROLE, ProductionVariants=[variant])
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert bench.wait().text("EndpointStatus") == "InService"


def create(bench: ControlBench, name: str = "part", *, image: str = IMAGE, copies: int = 1) -> Fields:
    """A component, settled."""
    specification = {"Container": {"Image": image, "Environment": {"A": "1"}}, "ComputeResourceRequirements": COMPUTE}
    bench.call(
        "CreateInferenceComponent",
        InferenceComponentName=name,
        EndpointName="e",
        Specification=specification,
        RuntimeConfig={"CopyCount": copies},
    )
    return wait(bench, name)


def wait(bench: ControlBench, name: str = "part") -> Fields:
    """The component once nothing goes on with it any more."""
    deadline = time.monotonic() + 10
    while True:
        component = bench.call("DescribeInferenceComponent", InferenceComponentName=name)
        if component.text("InferenceComponentStatus") in {"InService", "Failed"}:
            return component
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_component_serves_on_an_endpoint_without_models(bench: ControlBench) -> None:
    make_host(bench)
    assert not bench.runner.running
    component = create(bench)
    assert component.text("InferenceComponentStatus") == "InService"
    assert component.text("VariantName") == "AllTraffic"
    image = component.child("Specification").child("Container").child("DeployedImage")
    assert image.text("SpecifiedImage") == IMAGE
    assert component["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert bench.runner.started[0].memory_mb == 1024
    view = bench.sandbox.find_serving("us-east-1", "e")
    assert view is not None
    assert [(one.name, len(one.targets)) for one in view.components] == [("part", 1)]


def test_new_component_is_not_seen_at_once_when_scripted(bench: ControlBench) -> None:
    make_host(bench)
    bench.script(Rule(kind="consistency", resources=("inference-component",), seconds=UNSEEN_SECONDS))
    with pytest.raises(ClientError) as caught:
        create(bench)
    assert "Could not find inference component" in read_error(caught.value)[1]
    assert bench.call("ListInferenceComponents")["InferenceComponents"] == []
    time.sleep(UNSEEN_SECONDS + 0.1)
    assert wait(bench).text("InferenceComponentStatus") == "InService"
    assert len(bench.call("ListInferenceComponents").items_of("InferenceComponents")) == 1


def test_component_scales_to_none_and_back(bench: ControlBench) -> None:
    make_host(bench)
    create(bench)
    for copies in (0, 2):
        bench.call(
            "UpdateInferenceComponentRuntimeConfig", InferenceComponentName="part", DesiredRuntimeConfig={"CopyCount": copies}
        )
        assert wait(bench)["RuntimeConfig"] == {"DesiredCopyCount": copies, "CurrentCopyCount": copies}
        assert len(bench.runner.running) == copies


def test_component_gets_a_new_model_and_its_old_copies_end(bench: ControlBench) -> None:
    make_host(bench)
    create(bench)
    bench.make_model("m2", "127.0.0.1:1/models/demo:v2")
    specification = {"ModelName": "m2", "ComputeResourceRequirements": COMPUTE}
    bench.call("UpdateInferenceComponent", InferenceComponentName="part", Specification=specification)
    assert wait(bench)["Specification"] == specification
    assert len(bench.runner.running) == 1
    assert bench.runner.started[-1].image != bench.runner.started[0].image


def test_component_that_fails_says_why_and_a_failed_update_keeps_the_old_copies() -> None:
    with open_control_bench(FakeRunner(images={"broken": FakeImage(ping=500)})) as bench:
        make_host(bench)
        broken = "127.0.0.1:1/models/broken:v1"
        failed = create(bench, "bad", image=broken)
        assert failed.text("InferenceComponentStatus") == "Failed"
        assert "inference component bad did not pass the ping" in failed.text("FailureReason")
        create(bench)
        specification = {"Container": {"Image": broken}, "ComputeResourceRequirements": COMPUTE}
        bench.call("UpdateInferenceComponent", InferenceComponentName="part", Specification=specification)
        component = wait(bench)
        assert component.text("InferenceComponentStatus") == "InService"
        assert "ping" in component.text("FailureReason")
        assert len(bench.runner.running) == 1


def test_scripted_capacity_failure_fails_a_component(bench: ControlBench) -> None:
    make_host(bench)
    bench.script(Rule(kind="capacity", operation="CreateInferenceComponent"))
    assert "InsufficientInstanceCapacity" in create(bench).text("FailureReason")


def test_endpoint_with_components_is_not_deleted(bench: ControlBench) -> None:
    make_host(bench)
    create(bench)
    with pytest.raises(ClientError) as caught:
        bench.call("DeleteEndpoint", EndpointName="e")
    assert "inference components" in read_error(caught.value)[1]
    assert len(bench.call("ListInferenceComponents", EndpointNameEquals="e").items_of("InferenceComponents")) == 1
    bench.call("DeleteInferenceComponent", InferenceComponentName="part")
    deadline = time.monotonic() + 10
    while bench.call("ListInferenceComponents").items_of("InferenceComponents"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not bench.runner.running
    bench.call("DeleteEndpoint", EndpointName="e")


def test_variant_with_a_model_takes_no_component(bench: ControlBench) -> None:
    bench.make_endpoint()
    specification = {"ModelName": "m", "ComputeResourceRequirements": COMPUTE}
    with pytest.raises(ClientError) as caught:
        bench.call("CreateInferenceComponent", InferenceComponentName="p", EndpointName="e", Specification=specification)
    assert "can not host inference components" in read_error(caught.value)[1]


@pytest.mark.parametrize(
    ("specification", "text"),
    [
        ({"ComputeResourceRequirements": COMPUTE}, "Exactly one of ModelName and Container.Image"),
        ({"ModelName": "m"}, "ComputeResourceRequirements must be specified"),
        ({"ModelName": "gone", "ComputeResourceRequirements": COMPUTE}, "Could not find model"),
        ({"BaseInferenceComponentName": "base"}, "adapter"),
    ],
)
def test_illegal_specification_is_refused(bench: ControlBench, specification: dict[str, object], text: str) -> None:
    make_host(bench)
    with pytest.raises(ClientError) as caught:
        bench.call("CreateInferenceComponent", InferenceComponentName="p", EndpointName="e", Specification=specification)
    assert text in read_error(caught.value)[1]


def test_component_is_made_once_and_not_changed_in_progress(bench: ControlBench) -> None:
    make_host(bench)
    create(bench)
    specification = {"Container": {"Image": IMAGE}, "ComputeResourceRequirements": COMPUTE}
    with pytest.raises(ClientError) as caught:
        bench.call("CreateInferenceComponent", InferenceComponentName="part", EndpointName="e", Specification=specification)
    assert "Cannot create already existing inference component" in read_error(caught.value)[1]
    bench.sandbox.pace.change(speed=0)
    bench.call("UpdateInferenceComponentRuntimeConfig", InferenceComponentName="part", DesiredRuntimeConfig={"CopyCount": 2})
    for operation in ("DeleteInferenceComponent", "UpdateInferenceComponentRuntimeConfig"):
        more = {} if operation.startswith("Delete") else {"DesiredRuntimeConfig": {"CopyCount": 1}}
        with pytest.raises(ClientError) as caught:
            bench.call(operation, InferenceComponentName="part", **more)
        assert "Cannot update in-progress inference component" in read_error(caught.value)[1]
    bench.sandbox.pace.change(speed=5000)
    wait(bench)


def test_failed_scale_out_of_a_component_keeps_its_copies(bench: ControlBench) -> None:
    make_host(bench)
    create(bench)
    bench.runner.missing = frozenset({"demo"})
    bench.call("UpdateInferenceComponentRuntimeConfig", InferenceComponentName="part", DesiredRuntimeConfig={"CopyCount": 2})
    component = wait(bench)
    assert component["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 1}
    assert "pull" in component.text("FailureReason")
    assert len(bench.runner.running) == 1


def test_component_on_an_endpoint_in_progress_or_a_variant_that_is_not_there_is_refused(bench: ControlBench) -> None:
    make_host(bench)
    specification = {"Container": {"Image": IMAGE}, "ComputeResourceRequirements": COMPUTE}
    request = {"InferenceComponentName": "p", "EndpointName": "e", "Specification": specification}
    with pytest.raises(ClientError) as caught:
        bench.call("CreateInferenceComponent", **request, VariantName="Nobody")
    assert "Could not find variant" in read_error(caught.value)[1]
    bench.sandbox.pace.change(speed=0)
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    with pytest.raises(ClientError) as caught:
        bench.call("CreateInferenceComponent", **request)
    assert "Cannot update in-progress endpoint" in read_error(caught.value)[1]


@pytest.mark.parametrize(
    ("request_body", "text"),
    [
        ({}, "Specification or RuntimeConfig must be specified"),
        ({"Specifications": [{"ComputeResourceRequirements": COMPUTE}]}, "one Specification only"),
    ],
)
def test_illegal_update_of_a_component_is_refused(bench: ControlBench, request_body: dict[str, object], text: str) -> None:
    make_host(bench)
    create(bench)
    with pytest.raises(ClientError) as caught:
        bench.call("UpdateInferenceComponent", InferenceComponentName="part", **request_body)
    assert text in read_error(caught.value)[1]
