"""Owns what settings with an inference component cannot have beside it. Contacts nothing.

https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-deploy-models.html
"""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.adapters.sagemaker.validation import Problem
from dockyard.domain.sagemaker import Instances, RolloutKind, SageMakerPolicy, SageMakerSettings, Serverless
from dockyard.domain.sagemaker_component import Component

_ROLLOUTS = frozenset({RolloutKind.ALL_AT_ONCE, RolloutKind.ROLLING})


def find_component_contradictions(
    settings: SageMakerSettings, component: Component, policy: SageMakerPolicy
) -> Iterator[Problem]:
    """What the service does not take together."""
    unfit = {
        "serverless": (isinstance(settings.capacity, Serverless), "needs instances, and serverless capacity has none"),
        "asynchronous": (settings.asynchronous is not None, "cannot be asynchronous"),
        "data_capture": (settings.data_capture is not None, "cannot capture data"),
        "rollout.kind": (
            policy.rollout.kind not in _ROLLOUTS,
            f"cannot be {policy.rollout.kind.value}: its copies are replaced `all-at-once` or `rolling`",
        ),
    }
    for place, (is_set, what) in unfit.items():
        if is_set:
            yield Problem(place=place, message=f"an inference component {what}")
    if isinstance(settings.capacity, Instances):
        yield from _check_counts(settings.capacity, component, policy)


def _check_counts(capacity: Instances, component: Component, policy: SageMakerPolicy) -> Iterator[Problem]:
    most = component.max_instances
    if most is not None and most < capacity.count:
        yield Problem(place="component.max_instances", message=f"is {most}, which is less than `count`, {capacity.count}")
    if policy.scaling is not None and component.copies > policy.scaling.maximum:
        message = f"is {component.copies}, which is more than `scaling.maximum`, {policy.scaling.maximum}"
        yield Problem(place="component.copies", message=message)
