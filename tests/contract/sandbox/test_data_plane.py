"""boto3 against a sandbox whose endpoints run real scorers: invocations, their errors, their logs, metrics and alarms."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dockyard_sandbox.faults import Rule
from support.patience import wait_for
from support.sandbox_cloud import REGION, CloudBench, open_cloud
from support.sandbox_images import build_sandbox_stand_in

pytestmark = pytest.mark.process

DIMENSIONS = [{"Name": "EndpointName", "Value": "wine"}, {"Name": "VariantName", "Value": "AllTraffic"}]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    """A sandbox with the stand-in's image in the repository `wine`."""
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened:
        yield opened


@pytest.fixture(scope="module")
def image(cloud: CloudBench, tmp_path_factory: pytest.TempPathFactory) -> str:
    return cloud.put_image(*build_sandbox_stand_in(tmp_path_factory.mktemp("image")))


@pytest.fixture(scope="module")
def wine(cloud: CloudBench, image: str) -> CloudBench:
    """The sandbox with the endpoint `wine`."""
    cloud.deploy(image)
    return cloud


def refuse(cloud: CloudBench, name: str = "wine", body: object = None, **more: object) -> dict[str, Any]:
    """The whole error of an invocation."""
    content = body if isinstance(body, bytes) else json.dumps(body or {})
    with pytest.raises(ClientError) as refused:
        cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=content, **more)
    told: dict[str, Any] = dict(refused.value.response)
    return told


def test_answer_of_the_container_comes_back_with_the_variant(wine: CloudBench) -> None:
    answer = wine.invoke()
    assert answer["Body"]["predictions"] == ["wine"]
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_answer_comes_as_a_stream_of_parts_too(wine: CloudBench) -> None:
    runtime = wine.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint_with_response_stream(EndpointName="wine", ContentType="application/json", Body=b"{}")
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    assert json.loads(b"".join(parts))["predictions"] == ["wine"]
    plain = wine.invoke()
    told = ("InvokedProductionVariant", "ContentType")
    assert [answer[name] for name in told] == [plain[name] for name in told]
    with pytest.raises(ClientError, match="Endpoint beer of account 123456789012 not found"):
        runtime.invoke_endpoint_with_response_stream(EndpointName="beer", Body=b"{}")


def test_endpoint_that_is_not_there_is_a_validation_error(wine: CloudBench) -> None:
    error = refuse(wine, "beer")
    assert error["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint beer of account 123456789012 not found.",
    }
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_endpoint_of_another_region_is_not_there(wine: CloudBench) -> None:
    with pytest.raises(ClientError, match="not found"):
        wine.client("sagemaker-runtime", "eu-west-1").invoke_endpoint(EndpointName="wine", Body=b"{}")


def test_six_megabytes_pass_and_one_byte_more_does_not(wine: CloudBench) -> None:
    padded = json.dumps({"pad": ""}).encode()
    full = padded.replace(b'""', b'"' + b"x" * (6_291_456 - len(padded)) + b'"')
    assert len(full) == 6_291_456
    wine.client("sagemaker-runtime").invoke_endpoint(EndpointName="wine", Body=full)
    error = refuse(wine, body=full + b" ")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert error["Error"]["Message"] == "HTTP content length exceeded 6291456 bytes."


def test_unknown_target_variant_is_refused(wine: CloudBench) -> None:
    assert "Variant Other not found" in refuse(wine, TargetVariant="Other")["Error"]["Message"]
    assert wine.invoke(TargetVariant="AllTraffic")["InvokedProductionVariant"] == "AllTraffic"


def test_custom_attributes_must_be_short_and_ascii(wine: CloudBench) -> None:
    assert "CustomAttributes" in refuse(wine, CustomAttributes="x" * 1025)["Error"]["Message"]
    assert wine.invoke(CustomAttributes="x" * 1024)["InvokedProductionVariant"] == "AllTraffic"


def test_what_the_container_prints_is_in_cloudwatch_logs(wine: CloudBench) -> None:
    logs, group = wine.client("logs"), "/aws/sagemaker/Endpoints/wine"
    stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
    assert stream.startswith("AllTraffic/")
    events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert [event["message"] for event in events][:1] == ["loading ['serve']"]


def test_crash_of_the_container_is_a_model_error_that_raises_a_real_alarm(cloud: CloudBench, image: str) -> None:
    cloud.deploy(image, "crashing")
    cloudwatch = cloud.client("cloudwatch")
    dimensions = [{"Name": "EndpointName", "Value": "crashing"}, {"Name": "VariantName", "Value": "AllTraffic"}]
    cloudwatch.put_metric_alarm(
        AlarmName="crashing-5xx",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=dimensions,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    cloud.invoke(name="crashing")
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "OK"
    error = refuse(cloud, "crashing", {"crash": True})
    assert error["Error"]["Code"] == "ModelError"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error["OriginalStatusCode"] == 0
    group = f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/sagemaker/Endpoints/crashing"
    assert error["LogStreamArn"].startswith(f"{group}:log-stream:AllTraffic/")
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM"


def test_container_that_crashed_in_service_is_started_again(cloud: CloudBench, image: str) -> None:
    cloud.deploy(image, "reborn")
    before = cloud.invoke(name="reborn")["Body"]["pid"]
    refuse(cloud, "reborn", {"crash": True})

    def answers() -> bool:
        try:
            return bool(cloud.invoke(name="reborn")["Body"]["pid"] != before)
        except ClientError:
            return False

    wait_for(answers)
    logs, group = cloud.client("logs"), "/aws/sagemaker/Endpoints/reborn"
    messages = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    assert "The container ended with code 9. It is started again." in messages


def test_errors_during_a_rollout_raise_the_alarm_that_rolls_it_back(cloud: CloudBench, image: str) -> None:
    cloud.deploy(image, "rolled")
    variant = {"VariantName": "AllTraffic", "ModelName": "rolled", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName="rolled-2", ProductionVariants=[variant])
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="rolled-5xx",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": "rolled"}, {"Name": "VariantName", "Value": "AllTraffic"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 3600}
    sagemaker.update_endpoint(
        EndpointName="rolled",
        EndpointConfigName="rolled-2",
        DeploymentConfig={
            "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "rolled-5xx"}]},
        },
    )

    def is_settled() -> bool:
        if cloud.status("rolled") == "Updating":
            with contextlib.suppress(ClientError):
                cloud.invoke({"crash": True}, name="rolled")
        return cloud.status("rolled") == "InService"

    wait_for(is_settled, seconds=60)
    told = sagemaker.describe_endpoint(EndpointName="rolled")
    assert told["EndpointConfigName"] == "rolled"
    assert "rolled-5xx" in told["FailureReason"]


def test_invocations_are_metrics(wine: CloudBench) -> None:
    before = sum_metric(wine, "Invocations")
    for _ in range(3):
        wine.invoke()
    assert sum_metric(wine, "Invocations") == before + 3
    assert sum_metric(wine, "ModelLatency") > 0


def sum_metric(cloud: CloudBench, name: str) -> float:
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=DIMENSIONS,
        StartTime=time.time() - 3600,
        EndTime=time.time() + 60,
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_alarm_that_somebody_set_stays_set_while_nothing_is_measured(cloud: CloudBench) -> None:
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="set-by-hand",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": "nobody"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    cloudwatch.set_alarm_state(AlarmName="set-by-hand", StateValue="ALARM", StateReason="a drill")
    found = cloudwatch.describe_alarms(AlarmNames=["set-by-hand"])["MetricAlarms"][0]
    assert (found["StateValue"], found["StateReason"]) == ("ALARM", "a drill")


def test_variants_share_requests_by_weight(cloud: CloudBench, image: str) -> None:
    sagemaker, role = cloud.client("sagemaker"), cloud.make_role("role-ab")
    for name in ("a", "b"):
        container = {"Image": image, "Environment": {"STAND_IN_ANSWER": name}}
        sagemaker.create_model(ModelName=f"ab-{name}", ExecutionRoleArn=role, PrimaryContainer=container)
    variants = [
        {
            "VariantName": name,
            "ModelName": f"ab-{name}",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for name, weight in (("a", 1.0), ("b", 0.0))
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="ab", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName="ab", EndpointConfigName="ab")
    wait_for(lambda: cloud.status("ab") == "InService", seconds=60)
    assert {cloud.invoke(name="ab")["Body"]["predictions"][0] for _ in range(8)} == {"a"}
    assert cloud.invoke(name="ab", TargetVariant="b")["Body"]["predictions"] == ["b"]
    weights = [{"VariantName": "a", "DesiredWeight": 0.0}, {"VariantName": "b", "DesiredWeight": 1.0}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="ab", DesiredWeightsAndCapacities=weights)
    wait_for(lambda: cloud.status("ab") == "InService", seconds=60)
    assert {cloud.invoke(name="ab")["InvokedProductionVariant"] for _ in range(8)} == {"b"}


def test_serverless_takes_four_megabytes_and_a_few_at_once(cloud: CloudBench, image: str) -> None:
    cloud.deploy(image, "small", variant={"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}})
    assert cloud.invoke(name="small")["Body"]["predictions"] == ["small"]
    error = refuse(cloud, "small", b" " * 4_194_305)
    assert error["Error"]["Message"] == "HTTP content length exceeded 4194304 bytes."
    assert cloud.status("small") == "InService"


def test_role_that_does_not_exist_is_refused(cloud: CloudBench) -> None:
    role = "arn:aws:iam::123456789012:role/nobody"
    with pytest.raises(ClientError, match=f"Could not assume role {role}"):
        cloud.client("sagemaker").create_model(
            ModelName="nobodys", ExecutionRoleArn=role, PrimaryContainer={"Image": f"{cloud.address}/wine:v1"}
        )


def test_cold_start_is_scripted(wine: CloudBench) -> None:
    wine.sandbox.faults.script(
        [Rule(kind="refuse", operation="InvokeEndpoint", code="ModelNotReadyException", status=429, message="cold", times=0)]
    )
    try:
        error = refuse(wine)
    finally:
        wine.sandbox.faults.clear()
    assert error["Error"] == {"Code": "ModelNotReadyException", "Message": "cold"}
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert wine.invoke()["Body"]["predictions"] == ["wine"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"Principal": {"Service": "ec2.amazonaws.com"}}, "other-service"), ({"Action": "sts:TagSession"}, "other-action")],
)
def test_role_that_does_not_trust_sagemaker_is_refused(cloud: CloudBench, changes: dict[str, object], name: str) -> None:
    role = cloud.make_role(name, **changes)
    with pytest.raises(ClientError, match=f"Could not assume role {role}"):
        cloud.client("sagemaker").create_model(
            ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": f"{cloud.address}/wine:v1"}
        )
