"""Autoscaling of endpoints against boto3: all three dimensions, checked, kept, tagged, and gone with their alarms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.sandbox_cloud import CloudBench, open_cloud
from support.sandbox_images import build_sandbox_stand_in

pytestmark = pytest.mark.process

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
CONCURRENCY = "sagemaker:variant:DesiredProvisionedConcurrency"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
VARIANT = "endpoint/wine/variant/AllTraffic"
TRACKING = {
    "TargetValue": 50.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened:
        image = opened.put_image(*build_sandbox_stand_in(tmp_path_factory.mktemp("image")))
        opened.deploy(image)
        output = {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}
        opened.deploy(image, "slow", AsyncInferenceConfig=output)
        yield opened


@pytest.fixture
def scaling(cloud: CloudBench) -> Iterator[Any]:
    client = cloud.client("application-autoscaling")
    yield client
    for target in client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
        key = {name: target[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        client.deregister_scalable_target(**key)
    assert cloud.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def key(resource: str = VARIANT, dimension: str = INSTANCES) -> dict[str, str]:
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": dimension}


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("resource", "dimension", "low"),
    [
        (VARIANT, INSTANCES, 1),
        (VARIANT, CONCURRENCY, 1),
        ("inference-component/copy", COPIES, 0),
        ("endpoint/slow/variant/AllTraffic", INSTANCES, 0),
    ],
)
def test_every_dimension_is_registered(scaling: Any, resource: str, dimension: str, low: int) -> None:  # noqa: ANN401
    arn = scaling.register_scalable_target(**key(resource, dimension), MinCapacity=low, MaxCapacity=4)["ScalableTargetARN"]
    target = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (low, 4, arn)
    again = scaling.register_scalable_target(**key(resource, dimension), MaxCapacity=5)
    assert again["ScalableTargetARN"] == arn


@pytest.mark.parametrize(
    ("resource", "dimension", "limits", "reason"),
    [
        ("endpoint/beer/variant/AllTraffic", INSTANCES, (1, 2), "No resource endpoint/beer"),
        ("endpoint/wine/variant/Other", INSTANCES, (1, 2), "No resource"),
        (VARIANT, COPIES, (1, 2), "No resource"),
        (VARIANT, INSTANCES, (3, 2), "cannot be less than minimum"),
        (VARIANT, INSTANCES, (0, 2), "at least 1"),
    ],
)
def test_target_that_cannot_be_is_refused(
    scaling: Any,  # noqa: ANN401
    resource: str,
    dimension: str,
    limits: tuple[int, int],
    reason: str,
) -> None:
    with pytest.raises(ClientError, match=reason) as refused:
        scaling.register_scalable_target(**key(resource, dimension), MinCapacity=limits[0], MaxCapacity=limits[1])
    assert code_of(refused) == "ValidationException"


def test_policy_brings_alarms_and_takes_them_along(cloud: CloudBench, scaling: Any) -> None:  # noqa: ANN401
    scaling.register_scalable_target(**key(), MinCapacity=1, MaxCapacity=4)
    put = {"PolicyName": "track", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING}
    first = scaling.put_scaling_policy(**key(), **put)
    again = scaling.put_scaling_policy(**key(), **put)
    assert first["PolicyARN"] == again["PolicyARN"]
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in alarms} == {alarm["AlarmName"] for alarm in again["Alarms"]}
    assert {alarm["MetricName"] for alarm in alarms} == {"InvocationsPerInstance"}
    policy = scaling.describe_scaling_policies(**key())["ScalingPolicies"][0]
    assert policy["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    scaling.delete_scaling_policy(**key(), PolicyName="track")
    assert cloud.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_scheduled_action_is_kept_and_changed(scaling: Any) -> None:  # noqa: ANN401
    scaling.register_scalable_target(**key(), MinCapacity=1, MaxCapacity=4)
    name = {"ScheduledActionName": "night"}
    scaling.put_scheduled_action(**key(), **name, Schedule="cron(0 22 * * ? *)", ScalableTargetAction={"MinCapacity": 1})
    scaling.put_scheduled_action(**key(), **name, ScalableTargetAction={"MinCapacity": 2})
    action = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"][0]
    assert (action["Schedule"], action["ScalableTargetAction"]) == ("cron(0 22 * * ? *)", {"MinCapacity": 2})
    scaling.delete_scheduled_action(**key(), **name)
    assert scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"] == []


def test_what_is_not_there_is_not_found(scaling: Any) -> None:  # noqa: ANN401
    for call, more in (
        (scaling.deregister_scalable_target, {}),
        (scaling.delete_scaling_policy, {"PolicyName": "none"}),
        (scaling.put_scaling_policy, {"PolicyName": "none"}),
        (scaling.delete_scheduled_action, {"ScheduledActionName": "none"}),
    ):
        with pytest.raises(ClientError, match=r"No scalable target found .* resource ID: endpoint/wine") as refused:
            call(**key(), **more)
        assert code_of(refused) == "ObjectNotFoundException"
    scaling.register_scalable_target(**key(), MinCapacity=1, MaxCapacity=4)
    with pytest.raises(ClientError, match="No scaling policy found"):
        scaling.delete_scaling_policy(**key(), PolicyName="none")


def test_tags_of_a_target(scaling: Any) -> None:  # noqa: ANN401
    made = scaling.register_scalable_target(**key(), MinCapacity=1, MaxCapacity=4, Tags={"a": "1"})
    arn = made["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}


def test_targets_of_other_services_are_motos(scaling: Any, cloud: CloudBench) -> None:  # noqa: ANN401
    assert cloud.status() == "InService"
    assert scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"] == []
    with pytest.raises(ClientError) as refused:
        scaling.get_predictive_scaling_forecast(**key(), PolicyName="p", StartTime=0, EndTime=1)
    assert code_of(refused) == "UnknownOperationException"
