"""Requests that AWS refuses are refused with its code and words; what it accepts is kept whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

import pytest
from botocore.exceptions import ClientError

from dockyard_sandbox.surroundings import Surroundings
from dockyard_sandbox.testing import FakeRunner
from support.sandbox_control import IMAGE, ROLE, ControlBench, open_control_bench, read_error

VARIANT: Mapping[str, object] = {"VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS: Mapping[str, object] = {
    "VariantName": "A",
    "ModelName": "m",
    "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
}


def refused(bench: ControlBench, operation: str, **request: object) -> tuple[str, str]:
    """The code and message with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        bench.call(operation, **request)
    return read_error(caught.value)


@pytest.mark.parametrize(
    ("request_body", "text"),
    [
        (
            {"ModelName": "my_first_model"},
            "Value 'my_first_model' at 'modelName' failed to satisfy constraint: Member must satisfy regular",
        ),
        ({"ModelName": "x" * 64}, "Member must have length less than or equal to 63"),
        ({"ModelName": "m", "PrimaryContainer": {"Image": "a b"}}, "at 'primaryContainer.image'"),
        ({"ModelName": "m", "PrimaryContainer": {"Image": "a"}, "ExecutionRoleArn": "x" * 20}, "at 'executionRoleArn'"),
        ({"ModelName": "m", "Containers": [{"Image": "a"}] * 16}, "at 'containers' failed"),
        ({"ModelName": "m", "PrimaryContainer": {"Image": "a", "Mode": "Many"}}, "enum value set: [SingleModel, MultiModel]"),
        (
            {"ModelName": "m", "PrimaryContainer": {"Image": "a"}, "Tags": [{"Key": "a#", "Value": ""}]},
            "at 'tags.1.member.key'",
        ),
        (
            {"ModelName": "m", "PrimaryContainer": {"Image": "a", "Environment": {"1A": "x"}}},
            "Map keys must satisfy constraint",
        ),
        (
            {"ModelName": "m", "PrimaryContainer": {"Image": "a", "ModelDataUrl": "s3://b/k", "ModelDataSource": {}}},
            "both ModelDataUrl and ModelDataSource",
        ),
        (
            {
                "ModelName": "m",
                "PrimaryContainer": {
                    "Image": "a",
                    "ModelDataSource": {
                        "S3DataSource": {"S3Uri": "s3://b/prefix", "S3DataType": "S3Prefix", "CompressionType": "None"}
                    },
                },
            },
            'must end with "/"',
        ),
        (
            {"ModelName": "m", "PrimaryContainer": {"Image": "a", "Environment": {f"K{n}": "v" * 1000 for n in range(40)}}},
            "at most 32768 bytes",
        ),
        ({"ModelName": "m"}, "either PrimaryContainer or Containers"),
        ({"ModelName": "m", "PrimaryContainer": {"Mode": "SingleModel"}}, "must have an Image"),
        (
            {"ModelName": "m", "PrimaryContainer": {"Image": "a"}, "Containers": [{"Image": "a"}]},
            "both PrimaryContainer and Containers",
        ),
    ],
)
def test_illegal_model_is_refused(bench: ControlBench, request_body: dict[str, object], text: str) -> None:
    code, message = refused(bench, "CreateModel", **request_body)
    assert code == "ValidationException"
    assert text in message


def test_all_violations_are_told_at_once_and_no_value_of_the_environment(bench: ControlBench) -> None:
    container = {"Image": "a b", "Environment": {"TOKEN": "s" * 1025}}
    _, message = refused(bench, "CreateModel", ModelName="a_b", PrimaryContainer=container)
    assert message.startswith("3 validation errors detected: ")
    assert "ssss" not in message


@pytest.mark.parametrize(
    ("variants", "more", "text"),
    [
        ([VARIANT, VARIANT], {}, "Duplicate variant name A"),
        ([{**VARIANT, "InstanceType": "ml.bogus"}], {}, "enum value set"),
        (
            [{**VARIANT, "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}],
            {},
            "together with ServerlessConfig",
        ),
        ([{"VariantName": "A", "ModelName": "m"}], {}, "either an InstanceType or a ServerlessConfig"),
        ([{**VARIANT, "ModelName": "gone"}], {}, 'Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/gone".'),
        ([{**VARIANT, "VariantName": f"v{n}"} for n in range(11)], {}, "at 'productionVariants' failed"),
        (
            [{**SERVERLESS, "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 5}}],
            {},
            "MemorySizeInMB must be one of",
        ),
        (
            [{**SERVERLESS, "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 500}}],
            {},
            "less than or equal to 200",
        ),
        ([{"VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.large"}], {}, "must have an InitialInstanceCount"),
        ([SERVERLESS, {**SERVERLESS, "VariantName": "B"}], {}, "one variant only"),
        (
            [{**SERVERLESS, "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5, "ProvisionedConcurrency": 6}}],
            {},
            "less than or equal to MaxConcurrency",
        ),
        (
            [SERVERLESS],
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/o"}}},
            "AsyncInferenceConfig is not supported for serverless",
        ),
        ([SERVERLESS], {"EnableNetworkIsolation": True}, "not supported for serverless"),
        ([VARIANT], {"ShadowProductionVariants": [VARIANT]}, "Duplicate variant name"),
        (
            [VARIANT, {**VARIANT, "VariantName": "B"}],
            {"ShadowProductionVariants": [{**VARIANT, "VariantName": "S"}]},
            "exactly one",
        ),
        (
            [{"VariantName": "A", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}],
            {},
            "ExecutionRoleArn must be specified",
        ),
    ],
)
def test_illegal_endpoint_configuration_is_refused(
    bench: ControlBench, variants: list[object], more: dict[str, object], text: str
) -> None:
    bench.make_model()
    code, message = refused(bench, "CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants, **more)
    assert code == "ValidationException"
    assert text in message


@pytest.mark.parametrize(
    ("routing", "more", "text"),
    [
        ({"Type": "CANARY", "WaitIntervalInSeconds": 0}, {}, "CanarySize must be specified"),
        (
            {"Type": "CANARY", "WaitIntervalInSeconds": 0, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 60}},
            {},
            "between 1 and 50 percent",
        ),
        (
            {"Type": "LINEAR", "WaitIntervalInSeconds": 0, "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 5}},
            {},
            "between 10 and 50 percent",
        ),
        (
            {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 5}},
            {},
            "can not be specified",
        ),
        (
            {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 700},
            {"MaximumExecutionTimeoutInSeconds": 600},
            "must be greater than the waits",
        ),
    ],
)
def test_deployment_that_contradicts_itself_is_refused(
    bench: ControlBench, routing: dict[str, object], more: dict[str, object], text: str
) -> None:
    bench.make_endpoint()
    deployment = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **more}}
    _, message = refused(bench, "UpdateEndpoint", EndpointName="e", EndpointConfigName="c", DeploymentConfig=deployment)
    assert text in message
    assert bench.describe().text("EndpointStatus") == "InService"


def test_endpoint_with_instances_does_not_become_serverless(bench: ControlBench) -> None:
    bench.make_endpoint()
    bench.call("CreateEndpointConfig", EndpointConfigName="s", ProductionVariants=[SERVERLESS])
    assert "serverless" in refused(bench, "UpdateEndpoint", EndpointName="e", EndpointConfigName="s")[1]


def test_image_that_is_not_there_is_refused() -> None:
    with open_control_bench(FakeRunner(missing=frozenset({"demo"}))) as bench:
        code, message = refused(bench, "CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE})
        assert (code, message) == ("ValidationException", f"Requested image {IMAGE} not found.")


def test_model_data_that_is_not_there_is_refused(bench: ControlBench) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}
    message = refused(bench, "CreateModel", ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)[1]
    assert message.startswith("Could not access model data at s3://bucket/model.tar.gz.")


class NoRole:
    """No role can be assumed."""

    def is_assumable(self, role_arn: str) -> bool:
        return not role_arn


def test_role_that_does_not_trust_sagemaker_is_refused() -> None:
    with open_control_bench(surroundings=Surroundings(roles=NoRole())) as bench:
        message = refused(bench, "CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)[1]
        assert message.startswith(f"Could not assume role {ROLE}.")


def test_model_and_configuration_are_described_as_they_were_made(bench: ControlBench) -> None:
    container = {"Image": IMAGE, "Environment": {"A": "1"}, "Mode": "SingleModel"}
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    model = {"PrimaryContainer": container, "ExecutionRoleArn": ROLE, "VpcConfig": vpc, "EnableNetworkIsolation": True}
    bench.call("CreateModel", ModelName="M-1", **model)
    described = bench.call("DescribeModel", ModelName="M-1")
    assert {name: described[name] for name in model} == model
    assert described.text("ModelArn").endswith(":model/m-1")
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": "s3://b/p",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    config = {"ProductionVariants": [{**VARIANT, "ModelName": "M-1"}], "DataCaptureConfig": capture, "KmsKeyId": "k"}
    bench.call("CreateEndpointConfig", EndpointConfigName="c", **config)
    described = bench.call("DescribeEndpointConfig", EndpointConfigName="c")
    assert described["DataCaptureConfig"] == capture
    assert described.items_of("ProductionVariants")[0] == {**VARIANT, "ModelName": "M-1", "InitialVariantWeight": 1.0}


def test_container_without_a_mode_is_described_as_that_of_a_single_model(bench: ControlBench) -> None:
    bench.make_model("one")
    bench.call("CreateModel", ModelName="two", ExecutionRoleArn=ROLE, Containers=[{"Image": IMAGE}, {"Image": IMAGE}])
    one, two = (bench.call("DescribeModel", ModelName=name) for name in ("one", "two"))
    assert one["PrimaryContainer"] == {"Image": IMAGE, "Mode": "SingleModel"}
    assert two["Containers"] == [{"Image": IMAGE, "Mode": "SingleModel"}] * 2
    assert ("Containers" in one, "PrimaryContainer" in two) == (False, False)


def test_lists_come_in_pages_and_filtered(bench: ControlBench) -> None:
    for number in range(13):
        bench.make_model(f"model-{number:02}")
    first = bench.call("ListModels", SortBy="Name", SortOrder="Ascending")
    assert [one.text("ModelName") for one in first.items_of("Models")] == [f"model-{number:02}" for number in range(10)]
    rest = bench.call("ListModels", SortBy="Name", SortOrder="Ascending", NextToken=first.text("NextToken"))
    assert [one.text("ModelName") for one in rest.items_of("Models")] == ["model-10", "model-11", "model-12"]
    assert "NextToken" not in rest
    newest = bench.call("ListModels", MaxResults=1).items_of("Models")
    assert newest[0].text("ModelName") == "model-12"
    assert len(bench.call("ListModels", NameContains="el-1").items_of("Models")) == 3
    assert "pagination token" in refused(bench, "ListModels", NextToken="x")[1]


def test_lists_are_ordered_and_cut_by_time(bench: ControlBench) -> None:
    bench.make_endpoint("b")
    bench.call("CreateEndpoint", EndpointName="a", EndpointConfigName="c")
    bench.wait("a")

    def list_names(**request: object) -> list[str]:
        return [one.text("EndpointName") for one in bench.call("ListEndpoints", **request).items_of("Endpoints")]

    assert list_names() == ["a", "b"]
    assert list_names(SortBy="Name", SortOrder="Descending") == ["b", "a"]
    assert list_names(SortBy="Status", SortOrder="Ascending") == ["b", "a"]
    long_ago, far_ahead = datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2120, 1, 1, tzinfo=timezone.utc)
    assert list_names(CreationTimeAfter=long_ago, CreationTimeBefore=far_ahead, StatusEquals="InService") == ["a", "b"]
    assert list_names(StatusEquals="Failed") == []
    assert list_names(CreationTimeBefore=long_ago) == []
    assert list_names(LastModifiedTimeAfter=far_ahead) == []


def test_tags_are_added_changed_and_taken_away(bench: ControlBench) -> None:
    arn = bench.make_model(Tags=[{"Key": "a", "Value": "1"}])
    after = bench.call("AddTags", ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
    assert after["Tags"] == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]
    bench.call("DeleteTags", ResourceArn=arn, TagKeys=["a", "nobody"])
    assert bench.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": ""}]
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    assert refused(bench, "AddTags", ResourceArn=arn, Tags=many)[0] == "ResourceLimitExceeded"
    assert "aws:" in refused(bench, "AddTags", ResourceArn=arn, Tags=[{"Key": "aws:x", "Value": ""}])[1]
    assert (
        refused(bench, "AddTags", ResourceArn=arn.replace("model/m", "model/gone"), Tags=many[:1])[0] == "ValidationException"
    )


def test_deleting_what_is_not_there_is_refused(bench: ControlBench) -> None:
    prefix = "arn:aws:sagemaker:us-east-1:123456789012:"
    assert refused(bench, "DeleteModel", ModelName="m")[1] == f'Could not find model "{prefix}model/m".'
    message = refused(bench, "DeleteEndpointConfig", EndpointConfigName="c")[1]
    assert message == f'Could not find endpoint configuration "{prefix}endpoint-config/c".'


def test_operation_that_is_not_offered_is_an_honest_error(bench: ControlBench) -> None:
    assert refused(bench, "ListApps")[0] == "UnknownOperationException"
