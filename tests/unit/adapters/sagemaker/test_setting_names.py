"""Problems are told by the keys of dockyard.yaml, so each name for a setting is one of its keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from dockyard.adapters.config_sagemaker import SageMaker
from dockyard.adapters.sagemaker.requests import render_all
from dockyard.adapters.sagemaker.setting_names import SETTINGS, Place, name_place
from dockyard.adapters.sagemaker.settings_rules import find_contradictions
from dockyard.adapters.sagemaker.validation import check_request
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    AsyncInference,
    Instances,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    SageMakerSettings,
    Scaling,
    ScheduledCapacity,
    Serverless,
)
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_network import Network
from dockyard.domain.sagemaker_package import PackagePolicy

KEY = DeploymentKey(environment="prod", name="my_first_model", target=Target.SAGEMAKER)
BESIDE = {"env", "image"}
"""Keys that stand beside the section."""


def list_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """All keys below a section, dotted."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in _list_sections(field.annotation):
            yield from list_keys(inner, f"{prefix}{name}.")


def _list_sections(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _list_sections(inner)


def test_every_setting_behind_a_member_is_a_key_of_the_configuration() -> None:
    named = {name for name in SETTINGS.values() if not name.startswith("--")}  # the others are options of commands

    assert named - BESIDE - set(list_keys(SageMaker)) == set()


def test_member_without_a_setting_is_named_with_its_operation() -> None:
    assert name_place(Place("sagemaker", "CreateModel", ("Containers", "[0]", "Mode"))) == "CreateModel.Containers.Mode"


@pytest.mark.parametrize(
    "settings",
    [
        SageMakerSettings(role=""),
        SageMakerSettings(role="", capacity=Serverless(memory_mb=6144, max_concurrency=200, provisioned_concurrency=200)),
        SageMakerSettings(
            role="arn:aws-cn:iam::123456789012:role/team/wine",
            capacity=Instances(instance_type="ml.c7g.large", count=3, volume_gb=30),
            env=(("A", "b"),),
            startup_timeout_seconds=600,
            download_timeout_seconds=600,
            network_isolation=True,
            network=Network(subnets=("subnet-1",), security_groups=("sg-1",)),
            kms_key="alias/wine",
            data_capture=DataCapture(destination="s3://bucket/captured", percent=50),
            asynchronous=AsyncInference(
                output="s3://bucket/answers",
                failures="s3://bucket/failures",
                error_topic="arn:aws:sns:eu-west-1:123456789012:bad",
                max_concurrent_invocations=4,
            ),
            tags=(("team", "größe/1"),),
        ),
    ],
)
@pytest.mark.parametrize(
    "rollout",
    [
        Rollout(),
        Rollout(kind=RolloutKind.CANARY, step_percent=5),
        Rollout(kind=RolloutKind.LINEAR, step_percent=20, termination_wait_seconds=60),
        Rollout(kind=RolloutKind.ROLLING, step_percent=50, alarms=("mine",)),
    ],
)
def test_settings_of_every_kind_become_requests_that_the_service_takes(settings: SageMakerSettings, rollout: Rollout) -> None:
    alarms = AlarmPolicy(latency_ms=500)
    policy = SageMakerPolicy(rollout=rollout, alarms=alarms, scaling=SCALING, package=PackagePolicy(group="Wines"))

    problems = [problem for request in render_all(KEY, settings, policy) for problem in check_request(*request)]

    assert problems == []
    assert isinstance(settings.capacity, Serverless) or not list(find_contradictions(settings, policy))


def test_group_that_the_service_does_not_take_is_told_by_its_key() -> None:
    policy = SageMakerPolicy(package=PackagePolicy(group="no_name"))

    problems = {
        problem for request in render_all(KEY, SageMakerSettings(role=""), policy) for problem in check_request(*request)
    }

    assert {problem.place for problem in problems} == {"model_package.group"}


SCALING = Scaling(
    minimum=1,
    maximum=4,
    invocations_per_instance=70,
    schedule=(ScheduledCapacity(name="night", schedule="cron(0 22 * * ? *)", minimum=1, maximum=1),),
)


SLEEPY = SageMakerPolicy(
    rollout=Rollout(kind=RolloutKind.ROLLING, step_percent=25),
    alarms=AlarmPolicy(latency_ms=500),
    scaling=Scaling(minimum=0, maximum=4, invocations_per_instance=70),
)


def tell_hosted(component: Component, policy: SageMakerPolicy = SLEEPY) -> list[str]:
    settings = SageMakerSettings(
        role="",
        capacity=Instances(instance_type="ml.g5.xlarge", volume_gb=None),
        startup_timeout_seconds=600,
        network=Network(subnets=("subnet-1",), security_groups=("sg-1",)),
        component=component,
    )
    problems = [problem for request in render_all(KEY, settings, policy) for problem in check_request(*request)]
    assert list(find_contradictions(settings, policy)) == []
    return [str(one) for one in problems]


def test_component_becomes_requests_that_the_service_takes() -> None:
    assert tell_hosted(Component(memory_mb=4096, cpus=2, accelerators=1, copies=2, max_instances=4)) == []


@pytest.mark.parametrize(
    ("component", "policy", "setting"),
    [
        (Component(memory_mb=64), SLEEPY, "component.memory_mb"),
        (Component(memory_mb=1024, cpus=0.1), SLEEPY, "component.cpus"),
        (Component(memory_mb=1024, accelerators=0), SLEEPY, "component.accelerators"),
        (
            Component(memory_mb=1024),
            SageMakerPolicy(rollout=Rollout(kind=RolloutKind.ROLLING, step_percent=80)),
            "rollout.step_percent",
        ),
    ],
)
def test_component_that_the_service_would_not_take_is_told_by_its_setting(
    component: Component, policy: SageMakerPolicy, setting: str
) -> None:
    (problem,) = set(tell_hosted(component, policy))
    assert problem.startswith(f"`{setting}`")
