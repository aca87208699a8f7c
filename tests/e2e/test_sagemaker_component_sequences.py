"""Any sequence of commands and faults on an inference component: afterwards all goes as if nothing had been."""

from __future__ import annotations

import dataclasses

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dockyard.domain.errors import DockyardError
from dockyard.domain.sagemaker import AlarmPolicy, Instances, SageMakerPolicy, Scaling
from dockyard.domain.sagemaker_component import Component
from dockyard_sandbox.faults import Rule
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import SETTINGS, Scene
from support.sagemaker_things import Eyes, count_things

POLICY = SageMakerPolicy(
    alarms=AlarmPolicy(), scaling=Scaling(minimum=0, maximum=3, invocations_per_instance=100), timeout_seconds=600
)
FAULTS: tuple[tuple[Rule, ...], ...] = (
    (),
    (Rule(kind="throttle", operation="*InferenceComponent", times=2),),
    (Rule(kind="reset-after", operation="*InferenceComponent"),),
    (Rule(kind="error-after", operation="UpdateInferenceComponent"),),
    (Rule(kind="access-denied", operation="CreateInferenceComponent", times=0),),
    (Rule(kind="access-denied", operation="UpdateInferenceComponent", times=0),),
    (Rule(kind="ping-failure", operation="*InferenceComponent"),),
    (Rule(kind="capacity", operation="*Endpoint"),),
    (Rule(kind="error-after", operation="DeleteInferenceComponent"),),
    (Rule(kind="expired-token", operation="AddTags", times=0),),
    (Rule(kind="reset-after", service="application-autoscaling", operation="*"),),
    (Rule(kind="access-denied", service="monitoring", operation="PutMetricAlarm", nth=3),),
)
ACTS = st.tuples(
    st.sampled_from(["deploy 1", "deploy 2", "other instances", "roll back", "delete"]), st.integers(0, len(FAULTS) - 1)
)


def act(scene: Scene, command: str) -> None:
    """Do what a user does."""
    large = dataclasses.replace(scene.settings, capacity=Instances(instance_type="ml.m5.xlarge"))
    match command:
        case "deploy 1":
            scene.deploy(1)
        case "deploy 2":
            scene.deploy(2)
        case "other instances":
            scene.deploy(1, settings=large)
        case "roll back":
            scene.roll_back()
        case _:
            scene.delete()


@given(acts=st.lists(ACTS, min_size=2, max_size=6))
@settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_sequence_leaves_what_a_deploy_and_a_delete_leave(
    sagemaker_cloud: SageMakerCloud, acts: list[tuple[str, int]]
) -> None:
    cloud = sagemaker_cloud
    cloud.script()
    scene = cloud.make_scene()
    scene.policy, scene.settings = POLICY, dataclasses.replace(SETTINGS, component=Component(memory_mb=1024))
    eyes = Eyes(session=cloud.eyes, endpoint=scene.endpoint)
    for command, fault in acts:
        cloud.script(*FAULTS[fault])
        try:
            act(scene, command)
        except DockyardError as error:
            assert error.code != "internal-error"
    cloud.script()
    scene.deploy(2, history_limit=1)
    seen, count = scene.observe(), count_things(eyes.list_things())
    assert seen.serving_revision is not None
    assert (seen.serving_revision.spec.model.version, scene.list_claiming(seen)) == ("2", [seen.serving])
    assert (seen.scaling, seen.alarms, len(seen.host_configs)) == (POLICY.scaling, POLICY.alarms, 1)
    assert (count["model"], count["config"], count["endpoint"], count["alarm"]) == (1, 1, 1, 2)
    scene.delete()
    assert eyes.list_things() == []
    assert not scene.observe().exists
    client = cloud.eyes.client("sagemaker")
    assert client.list_inference_components(NameContains=scene.endpoint)["InferenceComponents"] == []
