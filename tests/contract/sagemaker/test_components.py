"""Inference components: Dockyard's commands on the sandbox, and what the account itself says then."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dockyard.domain.errors import DockyardError
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import AlarmPolicy, Instances, Rollout, SageMakerPolicy, Scaling
from dockyard.domain.sagemaker_component import Component
from dockyard.usecases.predict import predict
from dockyard_sandbox.faults import Rule
from support.patience import wait_for
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import SETTINGS, Scene
from support.sagemaker_things import Eyes

pytestmark = pytest.mark.process

COMPONENT = Component(memory_mb=1024, cpus=0.5, max_instances=2)
POLICY = SageMakerPolicy(
    rollout=Rollout(wait_seconds=60),
    alarms=AlarmPolicy(latency_ms=60_000),
    scaling=Scaling(minimum=0, maximum=3, invocations_per_instance=100),
    timeout_seconds=600,
)
BARE = SageMakerPolicy(timeout_seconds=600)
CREATION = [
    "iam:CreateRole",
    "iam:PutRolePolicy",
    "sagemaker:CreateModel",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateInferenceComponent",
]


def make_scene(cloud: SageMakerCloud, policy: SageMakerPolicy = POLICY) -> Scene:
    """A deployment that is to have a component."""
    cloud.script()
    scene = cloud.make_scene()
    scene.policy, scene.settings = policy, dataclasses.replace(SETTINGS, component=COMPONENT)
    return scene


def describe(cloud: SageMakerCloud, scene: Scene) -> dict[str, Any]:
    """The component, as the service has it."""
    client = cloud.eyes.client("sagemaker")
    found: dict[str, Any] = client.describe_inference_component(InferenceComponentName=scene.endpoint)
    return found


def scale(cloud: SageMakerCloud, scene: Scene, copies: int) -> None:
    """Let there be that many copies, as autoscaling does."""
    client = cloud.eyes.client("sagemaker")
    client.update_inference_component_runtime_config(
        InferenceComponentName=scene.endpoint, DesiredRuntimeConfig={"CopyCount": copies}
    )
    wait_for(lambda: describe(cloud, scene)["RuntimeConfig"]["CurrentCopyCount"] == copies)
    wait_for(lambda: describe(cloud, scene)["InferenceComponentStatus"] == "InService")


def list_alarms(cloud: SageMakerCloud, scene: Scene) -> dict[str, dict[str, Any]]:
    """The alarms that Dockyard made, by what is behind the endpoint's name."""
    prefix = f"dockyard-{scene.endpoint}-"
    alarms = cloud.eyes.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    return {one["AlarmName"].removeprefix(prefix): one for one in alarms}


def list_targets(cloud: SageMakerCloud, scene: Scene) -> list[dict[str, Any]]:
    """What is scaled."""
    client = cloud.eyes.client("application-autoscaling")
    found = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return [one for one in found if scene.endpoint in one["ResourceId"].split("/")]


def list_left(cloud: SageMakerCloud, scene: Scene) -> list[str]:
    """All that there is of a deployment."""
    client = cloud.eyes.client("sagemaker")
    components = client.list_inference_components(NameContains=scene.endpoint)["InferenceComponents"]
    things = [f"{kind} {name}" for kind, name in Eyes(session=cloud.eyes, endpoint=scene.endpoint).list_things()]
    things += [f"component {one['InferenceComponentName']}" for one in components]
    return things + list(list_alarms(cloud, scene)) + [one["ResourceId"] for one in list_targets(cloud, scene)]


def count_mutating(cloud: SageMakerCloud) -> list[str]:
    """The changing calls since the last look, uploads and registry aside."""
    calls = [one for one in cloud.list_calls() if not one.startswith(("s3:", "ecr:", "registry:"))]
    cloud.sandbox.calls.clear()
    return calls


def test_component_is_deployed_updated_rolled_back_and_deleted_with_nothing_left(sagemaker_cloud: SageMakerCloud) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud)
    count_mutating(cloud)
    scene.deploy(1)
    assert [one for one in count_mutating(cloud) if one in CREATION] == CREATION
    there = describe(cloud, scene)
    first = there["Specification"]["ModelName"]
    assert there["Specification"]["ComputeResourceRequirements"] == {
        "MinMemoryRequiredInMb": 1024,
        "NumberOfCpuCoresRequired": 0.5,
    }
    config = cloud.eyes.client("sagemaker").describe_endpoint(EndpointName=scene.endpoint)["EndpointConfigName"]
    (variant,) = cloud.eyes.client("sagemaker").describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    assert (variant["VariantName"], "ModelName" in variant) == ("AllTraffic", False)
    assert variant["ManagedInstanceScaling"] == {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}
    seen = scene.observe()
    assert (seen.serving, len(seen.host_configs), seen.scaling, seen.alarms) == (1, 1, POLICY.scaling, POLICY.alarms)

    assert scene.deploy(1).status is ResultStatus.UNCHANGED
    assert count_mutating(cloud) == []

    scene.deploy(2)
    assert [one for one in count_mutating(cloud) if "Update" in one or "Create" in one] == [
        "sagemaker:CreateModel",
        "sagemaker:UpdateInferenceComponent",
    ]
    assert describe(cloud, scene)["Specification"]["ModelName"] != first
    assert (scene.observe().serving, scene.list_claiming()) == (2, [2])

    scene.roll_back()
    assert count_mutating(cloud) == ["sagemaker:UpdateInferenceComponent"]
    assert describe(cloud, scene)["Specification"]["ModelName"] == first
    assert scene.list_claiming() == [1]

    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])
    assert not scene.observe().exists


def test_component_is_scaled_by_copies_and_woken_from_none(sagemaker_cloud: SageMakerCloud) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud)
    scene.deploy(1)
    (target,) = list_targets(cloud, scene)
    assert (target["ResourceId"], target["ScalableDimension"], target["MinCapacity"], target["MaxCapacity"]) == (
        f"inference-component/{scene.endpoint}",
        "sagemaker:inference-component:DesiredCopyCount",
        0,
        3,
    )
    alarms = list_alarms(cloud, scene)
    assert set(alarms) == {"errors", "latency", "no-capacity"}
    dimension = [{"Name": "InferenceComponentName", "Value": scene.endpoint}]
    assert alarms["latency"]["Dimensions"] == dimension
    assert alarms["no-capacity"]["Dimensions"] == dimension
    policies = cloud.eyes.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=target["ResourceId"]
    )["ScalingPolicies"]
    steps = {one["PolicyType"]: one for one in policies}
    assert alarms["no-capacity"]["AlarmActions"] == [steps["StepScaling"]["PolicyARN"]]

    scale(cloud, scene, 0)
    with pytest.raises(DockyardError, match="has no copy now"):
        predict(scene.open(), scene.key, b'{"inputs": [1]}', "application/json")
    assert scene.deploy(1).status is ResultStatus.UNCHANGED
    scene.deploy(2)
    assert describe(cloud, scene)["RuntimeConfig"]["DesiredCopyCount"] == 1
    scale(cloud, scene, 3)
    scene.deploy(3)
    assert describe(cloud, scene)["RuntimeConfig"]["DesiredCopyCount"] == 3

    scene.policy = dataclasses.replace(POLICY, scaling=Scaling(minimum=1, maximum=3, invocations_per_instance=100))
    scene.deploy(3)
    assert set(list_alarms(cloud, scene)) == {"errors", "latency"}
    assert len(scene.observe().host_configs) == 1
    scene.policy = BARE
    scene.deploy(3)
    assert (list_alarms(cloud, scene), list_targets(cloud, scene)) == ({}, [])
    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])


def test_update_that_the_service_takes_back_fails_with_its_cause(sagemaker_cloud: SageMakerCloud) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud, BARE)
    scene.deploy(1)
    before = list_left(cloud, scene)
    cloud.script(Rule(kind="ping-failure", operation="UpdateInferenceComponent"))
    with pytest.raises(DockyardError) as caught:
        scene.deploy(2)
    assert (caught.value.code, "ping" in caught.value.message) == ("rolled-back", True)
    assert (scene.observe().serving, scene.list_claiming()) == (1, [1])
    assert list_left(cloud, scene) == before
    scene.deploy(2)
    assert scene.list_claiming() == [2]
    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])


def test_first_component_that_fails_leaves_nothing(sagemaker_cloud: SageMakerCloud) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud, BARE)
    cloud.script(Rule(kind="capacity", operation="CreateInferenceComponent"))
    with pytest.raises(DockyardError, match="InsufficientInstanceCapacity"):
        scene.deploy(1)
    wait_for(lambda: list_left(cloud, scene) == [])


def test_other_instances_are_another_configuration_of_the_same_endpoint(sagemaker_cloud: SageMakerCloud) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud, BARE)
    scene.deploy(1)
    scene.settings = dataclasses.replace(scene.settings, capacity=Instances(instance_type="ml.m5.xlarge"))
    count_mutating(cloud)
    scene.deploy(1)
    calls = [one for one in count_mutating(cloud) if "Update" in one]
    assert calls == ["sagemaker:UpdateEndpoint", "sagemaker:UpdateInferenceComponent"]
    assert len(scene.observe().host_configs) == 1
    scene.roll_back()
    seen = scene.observe()
    assert seen.serving_revision is not None
    assert seen.serving_revision.spec.settings.capacity == Instances()
    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])


@pytest.mark.parametrize("operation", ["CreateInferenceComponent", "UpdateInferenceComponent", "DeleteInferenceComponent"])
@pytest.mark.parametrize("kind", ["reset-after", "error-after", "throttle"])
def test_lost_answer_changes_nothing(sagemaker_cloud: SageMakerCloud, operation: str, kind: str) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud, BARE)
    cloud.script(Rule(kind=kind, operation=operation))
    scene.deploy(1)
    scene.deploy(2)
    assert (scene.observe().serving, scene.list_claiming()) == (2, [2])
    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sagemaker", "CreateEndpointConfig"),
        ("sagemaker", "CreateEndpoint"),
        ("sagemaker", "AddTags"),
        ("application-autoscaling", "RegisterScalableTarget"),
        ("monitoring", "PutMetricAlarm"),
    ],
)
def test_lost_answer_of_what_is_around_it_changes_nothing(
    sagemaker_cloud: SageMakerCloud, service: str, operation: str
) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud)
    cloud.script(Rule(kind="reset-after", service=service, operation=operation))
    scene.deploy(1)
    assert set(list_alarms(cloud, scene)) == {"errors", "latency", "no-capacity"}
    assert scene.deploy(1).status is ResultStatus.UNCHANGED
    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])


@pytest.mark.parametrize(
    ("service", "operation", "nth"),
    [("monitoring", "PutMetricAlarm", 3), ("application-autoscaling", "PutScalingPolicy", 2)],
)
def test_scaling_that_was_cut_off_is_completed_by_the_next_deploy(
    sagemaker_cloud: SageMakerCloud, service: str, operation: str, nth: int
) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud)
    cloud.script(Rule(kind="access-denied", service=service, operation=operation, nth=nth))
    assert scene.deploy(1).status is ResultStatus.PARTIAL
    assert scene.observe().scaling != POLICY.scaling
    cloud.script()
    scene.deploy(1)
    assert (scene.observe().scaling, "no-capacity" in list_alarms(cloud, scene)) == (POLICY.scaling, True)
    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])


def test_endpoint_does_not_become_one_for_components_nor_back(sagemaker_cloud: SageMakerCloud) -> None:
    cloud = sagemaker_cloud
    scene = make_scene(cloud, BARE)
    hosted, plain = scene.settings, SETTINGS
    scene.deploy(1)
    scene.settings = plain
    with pytest.raises(DockyardError, match="hosts an inference component") as caught:
        scene.deploy(1)
    assert (caught.value.code, "--name" in (caught.value.hint or "")) == ("endpoint-kind-differs", True)
    scene.delete()
    scene.deploy(1)
    scene.settings = hosted
    with pytest.raises(DockyardError, match="takes no `component`"):
        scene.deploy(1)
    scene.delete()
    wait_for(lambda: list_left(cloud, scene) == [])
