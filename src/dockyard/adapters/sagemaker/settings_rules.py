"""Owns the rules between settings that end up in different requests, so that no single request breaks them. Contacts nothing.

https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.adapters.sagemaker.component_rules import find_component_contradictions
from dockyard.adapters.sagemaker.instances import find_family
from dockyard.adapters.sagemaker.validation import Problem
from dockyard.domain.sagemaker import (
    Instances,
    ModelDelivery,
    RolloutKind,
    SageMakerPolicy,
    SageMakerSettings,
    Scaling,
    Serverless,
)

MAX_BODY_BYTES, MAX_SERVERLESS_BODY_BYTES = 6 * 1024 * 1024, 4 * 1024 * 1024
"""What an endpoint takes as a request; more is for asynchronous ones, by way of S3."""
_WITHOUT_GUARDRAILS = "inf1"
_NEEDS_INSTANCES = frozenset({RolloutKind.ROLLING, RolloutKind.SHADOW})
_OWN_TAGS = "dockyard:"


def find_contradictions(settings: SageMakerSettings, policy: SageMakerPolicy) -> Iterator[Problem]:
    """What settings and policy cannot have together."""
    if isinstance(settings.capacity, Serverless):
        yield from _check_serverless(settings, policy)
    else:
        yield from _check_instances(settings.capacity, policy)
    if settings.component is not None:
        yield from find_component_contradictions(settings, settings.component, policy)
    if settings.delivery is not ModelDelivery.IMAGE and settings.bucket is None:
        message = f"is missing; with `delivery: {settings.delivery.value}` the model's files go there"
        yield Problem(place="bucket", message=message)
    for tag, _ in settings.tags:
        if tag.startswith(_OWN_TAGS):
            yield Problem(place="tags", message=f"{tag} begins with {_OWN_TAGS}, by which Dockyard knows its own things")
    if settings.asynchronous is not None and policy.rollout.kind is RolloutKind.SHADOW:
        yield Problem(place="rollout.kind", message="requests to an asynchronous endpoint cannot be copied to a shadow")
    if policy.scaling is not None:
        yield from _check_scaling(policy.scaling, may_sleep=settings.asynchronous is not None or settings.component is not None)


def find_body_limit(settings: SageMakerSettings) -> int:
    """How many bytes a request to the endpoint may have."""
    return MAX_SERVERLESS_BODY_BYTES if isinstance(settings.capacity, Serverless) else MAX_BODY_BYTES


def _check_serverless(settings: SageMakerSettings, policy: SageMakerPolicy) -> Iterator[Problem]:
    unfit = {
        "subnets": (settings.network is not None, "cannot be in a network of yours"),
        "network_isolation": (settings.network_isolation, "cannot be isolated from the network"),
        "data_capture": (settings.data_capture is not None, "cannot capture data"),
        "asynchronous": (settings.asynchronous is not None, "cannot be asynchronous"),
        "delivery": (settings.delivery is ModelDelivery.PREFIX, "cannot take uncompressed model data"),
        "rollout.kind": (
            policy.rollout.kind in _NEEDS_INSTANCES,
            f"cannot be {policy.rollout.kind.value}, having no instances",
        ),
        "scaling": (policy.scaling is not None, "scales by itself; `serverless.max_concurrency` is its limit"),
    }
    for place, (is_set, what) in unfit.items():
        if is_set:
            yield Problem(place=place, message=f"a serverless endpoint {what}")


def _check_instances(capacity: Instances, policy: SageMakerPolicy) -> Iterator[Problem]:
    family = find_family(capacity.instance_type)
    if family == _WITHOUT_GUARDRAILS and policy.rollout.kind is not RolloutKind.ALL_AT_ONCE:
        message = f"traffic of {family} instances moves all at once only"
        yield Problem(place="rollout.kind", message=message)


def _check_scaling(scaling: Scaling, *, may_sleep: bool) -> Iterator[Problem]:
    ranges = {"scaling": (scaling.minimum, scaling.maximum)}
    ranges |= {f"scaling.schedule.{one.name}": (one.minimum, one.maximum) for one in scaling.schedule}
    for place, (low, high) in ranges.items():
        if low > high:
            yield Problem(place=f"{place}.minimum", message=f"is {low}, which is more than the maximum, {high}")
        elif low < 0 or (low == 0 and not may_sleep):
            message = f"is {low}; only asynchronous endpoints and inference components can do without any"
            yield Problem(place=f"{place}.minimum", message=message)
    if scaling.invocations_per_instance is None and not scaling.schedule:
        yield Problem(
            place="scaling", message="has neither `invocations_per_instance` nor a `schedule`, so nothing would scale"
        )
