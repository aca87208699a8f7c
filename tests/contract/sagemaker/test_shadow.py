"""A revision in the shadow of another: Dockyard's commands on the sandbox, and what the account itself says then."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import Rollout, RolloutKind, SageMakerPolicy
from support.patience import wait_for
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import Scene

pytestmark = pytest.mark.process

SHADOW = SageMakerPolicy(rollout=Rollout(kind=RolloutKind.SHADOW), timeout_seconds=600)
FULL = SageMakerPolicy(timeout_seconds=600)


def describe(cloud: SageMakerCloud, scene: Scene) -> dict[str, Any]:
    """The endpoint, as the service has it."""
    found: dict[str, Any] = cloud.eyes.client("sagemaker").describe_endpoint(EndpointName=scene.endpoint)
    return found


def count_invocations(cloud: SageMakerCloud, scene: Scene, variant: str) -> float:
    """How many requests a variant has had in the last hours, by the service's own metrics."""
    now = datetime.now(timezone.utc)
    told = cloud.eyes.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": scene.endpoint}, {"Name": "VariantName", "Value": variant}],
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(minutes=5),
        Period=86_400,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in told["Datapoints"]))


def list_left(cloud: SageMakerCloud, scene: Scene) -> list[str]:
    """Models and configurations of a deployment."""
    client = cloud.eyes.client("sagemaker")
    models = client.list_models(NameContains=scene.endpoint)["Models"]
    configs = client.list_endpoint_configs(NameContains=scene.endpoint)["EndpointConfigs"]
    return [one["ModelName"] for one in models] + [one["EndpointConfigName"] for one in configs]


def test_shadow_gets_copies_then_the_traffic_and_nothing_is_left(sagemaker_cloud: SageMakerCloud) -> None:
    cloud = sagemaker_cloud
    scene = cloud.make_scene()
    scene.policy = SHADOW
    scene.deploy(1)
    first = describe(cloud, scene)["EndpointConfigName"]
    assert scene.deploy(2).plan.is_shadow
    there = describe(cloud, scene)
    assert [one["VariantName"] for one in there["ProductionVariants"]] == ["AllTraffic"]
    assert [one["VariantName"] for one in there["ShadowProductionVariants"]] == ["Shadow"]
    seen = scene.observe()
    assert (seen.serving, seen.shadow_revision and seen.shadow_revision.number, len(seen.shadow_configs)) == (1, 2, 1)
    assert seen.endpoint is not None
    assert seen.endpoint.production == first
    assert scene.deploy(2).status is ResultStatus.UNCHANGED
    assert scene.list_claiming() == [1]

    before = count_invocations(cloud, scene, "Shadow")
    body = b'{"inputs": [1]}'
    cloud.eyes.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=scene.endpoint, ContentType="application/json", Body=body
    )
    wait_for(lambda: count_invocations(cloud, scene, "Shadow") == before + 1)

    scene.policy = FULL
    scene.deploy(2)
    there = describe(cloud, scene)
    assert "ShadowProductionVariants" not in there
    seen = scene.observe()
    assert (seen.serving, seen.shadow_revision, seen.shadow_configs) == (2, None, ())
    scene.roll_back()
    assert describe(cloud, scene)["EndpointConfigName"] == first
    scene.delete()
    assert list_left(cloud, scene) == []


def test_shadow_is_deleted_with_its_deployment(sagemaker_cloud: SageMakerCloud) -> None:
    scene = sagemaker_cloud.make_scene()
    scene.policy = SHADOW
    scene.deploy(1)
    scene.deploy(2)
    scene.delete()
    wait_for(lambda: list_left(sagemaker_cloud, scene) == [])
