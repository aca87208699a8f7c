"""Settings that end up in different requests, held against each other; and what instance types say by their names."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.adapters.sagemaker.instances import choose_platform, find_family, find_platform, has_local_storage
from dockyard.adapters.sagemaker.settings_rules import find_body_limit, find_contradictions
from dockyard.adapters.sagemaker.shapes import find_shape, list_values
from dockyard.domain.sagemaker import (
    AsyncInference,
    Instances,
    ModelDelivery,
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

ROLE = "arn:aws:iam::123456789012:role/wine"
SERVERLESS = Serverless(memory_mb=2048, max_concurrency=5)
ASYNC = AsyncInference(output="s3://bucket/answers")
ARM_FAMILIES = {"c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g", "p6e-gb200"}


def settings(capacity: Instances | Serverless | None = None, **more: Any) -> SageMakerSettings:  # noqa: ANN401
    return SageMakerSettings(role=ROLE, capacity=capacity or Instances(), **more)


def tell(wanted: SageMakerSettings, policy: SageMakerPolicy | None = None) -> list[str]:
    return [str(one) for one in find_contradictions(wanted, policy or SageMakerPolicy())]


def test_usual_settings_have_no_contradiction() -> None:
    assert tell(settings()) == tell(settings(SERVERLESS)) == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            {"network": Network(subnets=("a",), security_groups=("b",))},
            "`subnets`: a serverless endpoint cannot be in a network",
        ),
        ({"network_isolation": True}, "`network_isolation`: a serverless endpoint cannot be isolated from the network"),
        ({"data_capture": DataCapture(destination="s3://b")}, "`data_capture`: a serverless endpoint cannot capture data"),
        ({"asynchronous": ASYNC}, "`asynchronous`: a serverless endpoint cannot be asynchronous"),
        ({"delivery": ModelDelivery.PREFIX, "bucket": "s3://b"}, "`delivery`: a serverless endpoint cannot take uncompressed"),
    ],
)
def test_serverless_endpoint_cannot_have_what_instances_can(more: dict[str, Any], problem: str) -> None:
    (told,) = tell(settings(SERVERLESS, **more))

    assert told.startswith(problem)
    assert tell(settings(**more)) == []


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        (SageMakerPolicy(rollout=Rollout(kind=RolloutKind.ROLLING)), "rollout.kind"),
        (SageMakerPolicy(scaling=Scaling(minimum=1, maximum=2, invocations_per_instance=5)), "scaling"),
    ],
)
def test_serverless_endpoint_has_no_instances_to_roll_or_count(policy: SageMakerPolicy, place: str) -> None:
    (told,) = tell(settings(SERVERLESS), policy)

    assert told.startswith(f"`{place}`: a serverless endpoint")
    assert tell(settings(), policy) == []


def test_traffic_of_inferentia_moves_all_at_once() -> None:
    canary = SageMakerPolicy(rollout=Rollout(kind=RolloutKind.CANARY))

    assert tell(settings(Instances(instance_type="ml.inf1.xlarge")), canary) == [
        "`rollout.kind`: traffic of inf1 instances moves all at once only"
    ]
    assert tell(settings(Instances(instance_type="ml.inf2.xlarge")), canary) == []


def test_model_data_needs_a_bucket() -> None:
    assert tell(settings(delivery=ModelDelivery.ARCHIVE)) == [
        "`bucket`: is missing; with `delivery: archive` the model's files go there"
    ]


@pytest.mark.parametrize(
    ("scaling", "problem"),
    [
        (
            Scaling(minimum=3, maximum=2, invocations_per_instance=1),
            "`scaling.minimum`: is 3, which is more than the maximum, 2",
        ),
        (
            Scaling(minimum=0, maximum=2, invocations_per_instance=1),
            "`scaling.minimum`: is 0; only asynchronous endpoints and inference components can do without any",
        ),
        (
            Scaling(minimum=1, maximum=2),
            "`scaling`: has neither `invocations_per_instance` nor a `schedule`, so nothing would scale",
        ),
        (
            Scaling(
                minimum=1,
                maximum=2,
                schedule=(ScheduledCapacity(name="night", schedule="cron(0 0 * * ? *)", minimum=2, maximum=1),),
            ),
            "`scaling.schedule.night.minimum`: is 2, which is more than the maximum, 1",
        ),
    ],
)
def test_scaling_can_be_done(scaling: Scaling, problem: str) -> None:
    assert tell(settings(), SageMakerPolicy(scaling=scaling)) == [problem]


def test_asynchronous_endpoint_can_do_without_an_instance() -> None:
    scaling = Scaling(minimum=0, maximum=2, invocations_per_instance=1)

    assert tell(settings(asynchronous=ASYNC), SageMakerPolicy(scaling=scaling)) == []


def test_requests_are_smaller_for_serverless_endpoints() -> None:
    assert (find_body_limit(settings()), find_body_limit(settings(SERVERLESS))) == (6_291_456, 4_194_304)


def test_tags_that_dockyard_goes_by_are_its_own() -> None:
    assert tell(settings(tags=(("dockyard:environment", "prod"), ("team", "wine")))) == [
        "`tags`: dockyard:environment begins with dockyard:, by which Dockyard knows its own things"
    ]


def test_architecture_is_known_for_every_family_that_hosts() -> None:
    types = list_values(find_shape("sagemaker", "ProductionVariantInstanceType"))
    families = {str(find_family(one)): find_platform(one) for one in types}

    assert {name for name, platform in families.items() if platform == "linux/arm64"} == ARM_FAMILIES & families.keys()
    assert len(types) > 250
    assert "None" not in families


def test_serverless_endpoints_and_strange_names_are_x86() -> None:
    assert choose_platform(settings(SERVERLESS)) == choose_platform(settings()) == find_platform("bogus") == "linux/amd64"
    assert choose_platform(settings(Instances(instance_type="ml.c7g.large"))) == "linux/arm64"


def test_local_storage_is_known_by_name() -> None:
    with_disks = {"ml.c5d.large", "ml.r7gd.large", "ml.g4dn.xlarge", "ml.g6e.xlarge", "ml.p5en.48xlarge", "ml.trn1.2xlarge"}
    without = {"ml.c5.large", "ml.m6g.large", "ml.t2.medium", "ml.inf2.xlarge", "ml.p3.2xlarge", "ml.c6gn.large", "bogus"}

    assert {one for one in with_disks | without if has_local_storage(one)} == with_disks


COMPONENT = Component(memory_mb=1024, copies=2)


@pytest.mark.parametrize(
    ("more", "policy", "problem"),
    [
        ({"capacity": SERVERLESS}, {}, "`serverless`: an inference component needs instances"),
        ({"asynchronous": ASYNC}, {}, "`asynchronous`: an inference component cannot be asynchronous"),
        ({"data_capture": DataCapture(destination="s3://b")}, {}, "`data_capture`: an inference component cannot capture data"),
        ({}, {"rollout": Rollout(kind=RolloutKind.CANARY)}, "`rollout.kind`: an inference component cannot be canary"),
        ({}, {"rollout": Rollout(kind=RolloutKind.LINEAR)}, "`rollout.kind`: an inference component cannot be linear"),
        ({}, {"rollout": Rollout(kind=RolloutKind.SHADOW)}, "`rollout.kind`: an inference component cannot be shadow"),
        (
            {"capacity": Instances(count=2), "component": Component(memory_mb=1024, max_instances=1)},
            {},
            "`component.max_instances`: is 1, which is less than `count`, 2",
        ),
        (
            {},
            {"scaling": Scaling(minimum=0, maximum=1, invocations_per_instance=1)},
            "`component.copies`: is 2, which is more than `scaling.maximum`, 1",
        ),
    ],
)
def test_component_cannot_have_what_the_service_does_not_give_it(
    more: dict[str, Any], policy: dict[str, Any], problem: str
) -> None:
    (told,) = tell(settings(**{"component": COMPONENT, **more}), SageMakerPolicy(**policy))
    assert told.startswith(problem)


def test_component_may_be_scaled_down_to_none_and_replaced_in_batches() -> None:
    policy = SageMakerPolicy(
        rollout=Rollout(kind=RolloutKind.ROLLING), scaling=Scaling(minimum=0, maximum=4, invocations_per_instance=1)
    )
    assert tell(settings(component=COMPONENT), policy) == []
