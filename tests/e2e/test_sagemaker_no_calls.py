"""What changes nothing calls nothing that could: input that cannot work, a deploy of what is there, and plans."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.errors import UsageError
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import Instances, Rollout, RolloutKind, Scaling, Serverless
from dockyard.domain.sagemaker_package import PackagePolicy
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_plays import COMMANDS, open_play
from support.sagemaker_scene import POLICY, SETTINGS


@pytest.mark.parametrize(
    "settings",
    [
        {"role": "execution"},
        {"role": "arn:aws:iam::1:role/execution"},
        {"capacity": Instances(instance_type="ml.bogus")},
        {"capacity": Instances(count=0)},
        {"capacity": Instances(volume_gb=1000)},
        {"capacity": Serverless(memory_mb=1000, max_concurrency=1)},
        {"capacity": Serverless(memory_mb=1024, max_concurrency=500)},
        {"startup_timeout_seconds": 10},
        {"download_timeout_seconds": 4000},
        {"env": (("not a name", "x"),)},
        {"env": (("LONG", "x" * 2000),)},
        {"env": tuple((f"N{number}", "x") for number in range(101))},
        {"tags": (("bad#key", "x"),)},
        {"bucket": "models"},
    ],
    ids=str,
)
def test_setting_that_the_service_does_not_take_is_refused_without_a_call(
    sagemaker_cloud: SageMakerCloud, settings: dict[str, object]
) -> None:
    scene = sagemaker_cloud.make_scene()
    sagemaker_cloud.sandbox.calls.clear()
    with pytest.raises(UsageError) as caught:
        scene.deploy(settings=dataclasses.replace(SETTINGS, **settings))  # type: ignore[arg-type]
    assert caught.value.code == "setting-invalid"
    assert sagemaker_cloud.list_calls(mutating=False) == []


@pytest.mark.parametrize(
    "policy",
    [
        {"rollout": Rollout(kind=RolloutKind.CANARY, step_percent=90)},
        {"rollout": Rollout(kind=RolloutKind.ROLLING, step_percent=1)},
        {"rollout": Rollout(wait_seconds=4000)},
        {"scaling": Scaling(minimum=3, maximum=1)},
        {"package": PackagePolicy(group="no_name")},
        {"package": PackagePolicy(group="w" * 64)},
    ],
    ids=str,
)
def test_policy_that_the_service_does_not_take_is_refused_without_a_call(
    sagemaker_cloud: SageMakerCloud, policy: dict[str, object]
) -> None:
    scene = sagemaker_cloud.make_scene()
    sagemaker_cloud.sandbox.calls.clear()
    with pytest.raises(UsageError) as caught:
        scene.deploy(policy=dataclasses.replace(POLICY, **policy))  # type: ignore[arg-type]
    assert caught.value.code == "setting-invalid"
    assert sagemaker_cloud.list_calls(mutating=False) == []


def test_deploy_of_what_is_there_changes_nothing(sagemaker_cloud: SageMakerCloud) -> None:
    with open_play(sagemaker_cloud, "update") as play:
        assert play.act().is_done
        sagemaker_cloud.sandbox.calls.clear()
        assert play.scene.deploy(play.at + 1, history_limit=1).status is ResultStatus.UNCHANGED
        assert sagemaker_cloud.list_calls() == []
        assert sagemaker_cloud.list_calls(mutating=False) != []


@pytest.mark.parametrize("command", COMMANDS)
def test_plan_changes_nothing(sagemaker_cloud: SageMakerCloud, command: str) -> None:
    with open_play(sagemaker_cloud, command) as play:
        before = play.eyes.list_things()
        sagemaker_cloud.sandbox.calls.clear()
        if command == "rollback":
            plan = play.scene.roll_back(3 - play.at, plan_only=True).plan
        elif command == "delete":
            plan = play.scene.delete(plan_only=True).plan
        else:
            plan = play.scene.deploy(play.at + 1, plan_only=True).plan
        assert not plan.is_empty
        assert sagemaker_cloud.list_calls() == []
        assert play.eyes.list_things() == before
        assert play.act().is_done
