"""Every operation that the sandbox offers takes exactly what botocore's model says, and returns exactly that."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping

import pytest
from botocore.session import Session

from dockyard_sandbox.control import ControlPlane
from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.operations.call import ApiCall
from dockyard_sandbox.routes import HttpRequest
from dockyard_sandbox.shapes import ResponseShapeError, Shapes
from dockyard_sandbox.world import Worlds
from support.sandbox_control import IMAGE, ROLE, ControlBench

OFFERED = (
    "AddTags",
    "CreateEndpoint",
    "CreateEndpointConfig",
    "CreateInferenceComponent",
    "CreateModel",
    "CreateModelPackage",
    "CreateModelPackageGroup",
    "CreateTransformJob",
    "DeleteEndpoint",
    "DeleteEndpointConfig",
    "DeleteInferenceComponent",
    "DeleteModel",
    "DeleteModelPackage",
    "DeleteModelPackageGroup",
    "DeleteTags",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeInferenceComponent",
    "DescribeModel",
    "DescribeModelPackage",
    "DescribeModelPackageGroup",
    "DescribeTransformJob",
    "ListEndpointConfigs",
    "ListEndpoints",
    "ListInferenceComponents",
    "ListModelPackageGroups",
    "ListModelPackages",
    "ListModels",
    "ListTags",
    "ListTransformJobs",
    "StopTransformJob",
    "UpdateEndpoint",
    "UpdateEndpointWeightsAndCapacities",
    "UpdateInferenceComponent",
    "UpdateInferenceComponentRuntimeConfig",
    "UpdateModelPackage",
)
SCOPE = "20260101/us-east-1/sagemaker/aws4_request"
AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential=KEY/{SCOPE}, Signature=0"  # not a secret: it signs nothing
WRONG: Mapping[str, object] = {
    "string": 1,
    "integer": "1",
    "float": "1",
    "boolean": "true",
    "timestamp": [],
    "structure": [],
    "list": {},
}
MODEL = Session().get_service_model("sagemaker")


def send(bench: ControlBench, operation: str, body: object) -> Fields:
    """What a call without botocore's own checks is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", int(bench.sandbox.url.rpartition(":")[2]))
    try:
        headers = {"X-Amz-Target": f"SageMaker.{operation}", "Authorization": AUTHORIZATION}
        connection.request("POST", "/", body=json.dumps(body), headers=headers)
        return as_fields(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


def list_members(operation: str) -> dict[str, str]:
    """The members of an operation's request and their types."""
    shape = MODEL.operation_model(operation).input_shape
    return {name: member.type_name for name, member in shape.members.items()}


@pytest.mark.parametrize("operation", OFFERED)
def test_request_of_the_wrong_shape_is_refused(bench: ControlBench, operation: str) -> None:
    assert send(bench, operation, {"Nobody": 1}).text("__type") == "SerializationException"
    assert send(bench, operation, ["no", "object"]).text("__type") == "SerializationException"
    for member, kind in list_members(operation).items():
        answer = send(bench, operation, {member: WRONG[kind if kind != "map" else "structure"]})
        assert answer.text("__type") == "SerializationException", member
        assert answer.text("message").startswith(member[0].lower() + member[1:]), member
    missing = send(bench, operation, {})
    for member in MODEL.operation_model(operation).input_shape.required_members:
        path = member[0].lower() + member[1:]
        assert f"Value null at '{path}' failed to satisfy constraint: Member must not be null" in missing.text("message")


def test_unsigned_call_is_refused(bench: ControlBench) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(bench.sandbox.url.rpartition(":")[2]))
    connection.request("POST", "/", body="{}", headers={"X-Amz-Target": "SageMaker.ListModels"})
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["__type"]) == (403, "MissingAuthenticationTokenException")
    connection.close()


def test_every_operation_answers_in_its_shape(bench: ControlBench) -> None:
    _drive_endpoint(bench)
    _drive_components(bench)
    _drive_packages(bench)
    _drive_jobs(bench)
    answered = {call.site.operation for call in bench.sandbox.calls.list_calls() if call.status == 200}
    assert answered == set(OFFERED) == bench.sandbox.offered


def test_answer_of_the_wrong_shape_is_a_defect() -> None:
    shapes = Shapes("sagemaker")
    for body in (
        {},
        {"ModelArn": "no arn"},
        {"ModelArn": 1},
        {"ModelArn": "arn:aws:sagemaker:a:123456789012:model/m", "More": 1},
    ):
        with pytest.raises(ResponseShapeError):
            shapes.check_response("CreateModel", body)


def test_control_plane_never_sends_an_answer_of_the_wrong_shape() -> None:
    def answer_nothing(_call: ApiCall) -> Mapping[str, object]:
        return {}

    control = ControlPlane(Worlds(), {"CreateModel": answer_nothing})
    headers = {"x-amz-target": "SageMaker.CreateModel", "authorization": AUTHORIZATION}
    with pytest.raises(ResponseShapeError):
        control.answer(HttpRequest(method="POST", path="/", headers=headers, body=b'{"ModelName": "m"}'))


def _drive_endpoint(bench: ControlBench) -> None:
    arn = bench.make_model()
    shadow = {"VariantName": "S", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://b/c",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    }
    bench.call(
        "CreateEndpointConfig",
        EndpointConfigName="full",
        ProductionVariants=[{**shadow, "VariantName": "A", "RoutingConfig": {"RoutingStrategy": "RANDOM"}}],
        ShadowProductionVariants=[shadow],
        DataCaptureConfig=capture,
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://b/o"}},
    )
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="full")
    bench.describe()
    bench.wait()
    bench.make_config("c2", variant="A")
    bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c2")
    bench.wait()
    weights = [{"VariantName": "A", "DesiredWeight": 2.0}]
    bench.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=weights)
    bench.wait()
    for operation in ("ListModels", "ListEndpointConfigs", "ListEndpoints"):
        bench.call(operation)
    bench.call("DescribeModel", ModelName="m")
    bench.call("DescribeEndpointConfig", EndpointConfigName="full")
    bench.call("AddTags", ResourceArn=arn, Tags=[{"Key": "ключ", "Value": "värde"}])
    bench.call("ListTags", ResourceArn=arn)
    bench.call("DeleteTags", ResourceArn=arn, TagKeys=["ключ"])
    bench.call("DeleteEndpoint", EndpointName="e")
    bench.wait_until_gone()
    bench.call("DeleteEndpointConfig", EndpointConfigName="full")


def _drive_components(bench: ControlBench) -> None:
    variants = [{"VariantName": "A", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]
    bench.call("CreateEndpointConfig", EndpointConfigName="host", ExecutionRoleArn=ROLE, ProductionVariants=variants)
    bench.call("CreateEndpoint", EndpointName="h", EndpointConfigName="host")
    bench.wait("h")
    specification = {"Container": {"Image": IMAGE}, "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 512}}
    name = {"InferenceComponentName": "p"}
    bench.call("CreateInferenceComponent", **name, EndpointName="h", Specification=specification)
    _wait_for_component(bench)
    bench.call("UpdateInferenceComponent", **name, Specification=specification)
    _wait_for_component(bench)
    bench.call("UpdateInferenceComponentRuntimeConfig", **name, DesiredRuntimeConfig={"CopyCount": 0})
    _wait_for_component(bench)
    bench.call("ListInferenceComponents")
    bench.call("DeleteInferenceComponent", **name)


def _wait_for_component(bench: ControlBench) -> None:
    deadline = time.monotonic() + 10
    while bench.call("DescribeInferenceComponent", InferenceComponentName="p").text("InferenceComponentStatus") != "InService":
        assert time.monotonic() < deadline


def _drive_packages(bench: ControlBench) -> None:
    group = {"ModelPackageGroupName": "g"}
    bench.call("CreateModelPackageGroup", **group)
    bench.call("DescribeModelPackageGroup", **group)
    properties = {"mlflow.run_id": "a/b:c"}
    arn = bench.call("CreateModelPackage", **group, CustomerMetadataProperties=properties).text("ModelPackageArn")
    bench.call("DescribeModelPackage", ModelPackageName=arn)
    bench.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    bench.call("ListModelPackages", **group)
    bench.call("ListModelPackageGroups")
    bench.call("DeleteModelPackage", ModelPackageName=arn)
    bench.call("DeleteModelPackageGroup", **group)


def _drive_jobs(bench: ControlBench) -> None:
    bench.sandbox.pace.change(speed=0)
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}}}
    bench.call(
        "CreateTransformJob",
        TransformJobName="j",
        ModelName="m",
        TransformInput=source,
        TransformOutput={"S3OutputPath": "s3://b/out/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    bench.call("DescribeTransformJob", TransformJobName="j")
    bench.call("ListTransformJobs")
    bench.call("StopTransformJob", TransformJobName="j")
    bench.sandbox.pace.change(speed=5000)
    bench.call("DeleteModel", ModelName="m")
