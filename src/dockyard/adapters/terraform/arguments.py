"""Owns how a blueprint becomes the arguments of the module `endpoint` (terraform/modules/endpoint). Pure.

What the module has no argument for is refused: an endpoint that silently lacks what dockyard.yaml asks for helps nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockyard.adapters.sagemaker.requests import max_seconds
from dockyard.adapters.terraform.hcl import Value
from dockyard.domain.errors import UsageError
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Instances,
    ModelDelivery,
    Rollout,
    SageMakerPolicy,
    SageMakerSettings,
    derive_endpoint_name,
)
from dockyard.domain.sagemaker_blueprint import EndpointBlueprint
from dockyard.domain.sagemaker_shadow import choose_rollout

Arguments = dict[str, Value]


def make_arguments(blueprint: EndpointBlueprint) -> Arguments:
    """The module's arguments but environment and tags. Raises UsageError `setting-invalid`."""
    settings, policy, key = blueprint.spec.settings, blueprint.policy, blueprint.key
    _refuse_unfit(settings, policy)
    arguments: dict[str, Value | None] = {
        "name": derive_endpoint_name(key.environment, key.name),
        "execution_role_arn": settings.role,
        "image": blueprint.image,
        **_describe_capacity(settings),
        "network_isolation": settings.network_isolation or None,
        "vpc": _describe_network(settings),
        "kms_key_arn": settings.kms_key,
        "capture": _describe_capture(settings),
        "asynchronous": _describe_queue(settings),
        "shadow": _describe_shadow(blueprint),
        "rollout": _describe_rollout(choose_rollout(policy.rollout, in_shadow=False)),
        "alarms": _describe_alarms(policy.alarms, policy.rollout.alarms),
        "scaling": _describe_scaling(policy),
    }
    return drop_none(arguments)


def drop_none(values: Mapping[str, Value | None]) -> Arguments:
    """The values that there are."""
    return {name: value for name, value in values.items() if value is not None}


def _refuse_unfit(settings: SageMakerSettings, policy: SageMakerPolicy) -> None:
    unfit = tuple(dict.fromkeys(_find_unfit(settings, policy)))
    if unfit:
        raise UsageError(
            "setting-invalid",
            f"`{unfit[0]}` is something that the Terraform module has no argument for",
            hint="leave it out of this environment, or have `dockyard deploy sagemaker` keep the endpoint",
            details=tuple(f"`{one}` neither" for one in unfit[1:]),
        )


def _find_unfit(settings: SageMakerSettings, policy: SageMakerPolicy) -> Iterator[str]:
    found = {
        "component": settings.component is not None,
        f"delivery: {settings.delivery.value}": settings.delivery is not ModelDelivery.IMAGE,
        "kms_key (not by its ARN)": settings.kms_key is not None and ":key/" not in settings.kms_key,
        "model_package": policy.package is not None,
    }
    return (name for name, is_unfit in found.items() if is_unfit)


def _describe_capacity(settings: SageMakerSettings) -> Mapping[str, Value]:
    capacity = settings.capacity
    if isinstance(capacity, Instances):
        instances: dict[str, Value | None] = {
            "type": capacity.instance_type,
            "count": capacity.count,
            "startup_timeout_seconds": settings.startup_timeout_seconds,
            "download_timeout_seconds": settings.download_timeout_seconds,
            "volume_gb": capacity.volume_gb,
        }
        return {"instances": drop_none(instances)}
    memory = {"memory_mb": capacity.memory_mb, "max_concurrency": capacity.max_concurrency}
    return {"serverless": drop_none({**memory, "provisioned": capacity.provisioned_concurrency})}


def _describe_network(settings: SageMakerSettings) -> Value | None:
    if settings.network is None:
        return None
    return {"subnet_ids": settings.network.subnets, "security_group_ids": settings.network.security_groups}


def _describe_capture(settings: SageMakerSettings) -> Value | None:
    capture = settings.data_capture
    if capture is None:
        return None
    directions = {"input": capture.captures_input, "output": capture.captures_output}
    left_out = {name: False for name, is_wanted in directions.items() if not is_wanted}
    return {"uri": capture.destination, "percent": capture.percent, **left_out}


def _describe_queue(settings: SageMakerSettings) -> Value | None:
    queue = settings.asynchronous
    if queue is None:
        return None
    topics = {"success_topic": queue.success_topic, "error_topic": queue.error_topic}
    concurrency = {"concurrency": queue.max_concurrent_invocations}
    return drop_none({"output_uri": queue.output, "failure_uri": queue.failures, **topics, **concurrency})


def _describe_shadow(blueprint: EndpointBlueprint) -> Value | None:
    return {"image": blueprint.shadow, "percent": blueprint.policy.rollout.shadow_percent} if blueprint.shadow else None


def _describe_rollout(rollout: Rollout) -> Value:
    return {
        "kind": rollout.kind.value,
        "step_percent": rollout.step_percent,
        "wait_seconds": rollout.wait_seconds,
        "termination_wait_seconds": rollout.termination_wait_seconds,
        "max_seconds": max_seconds(rollout),
    }


def _describe_alarms(policy: AlarmPolicy | None, names: tuple[str, ...]) -> Value:
    """The module makes an alarm on the number of errors unless it is told otherwise."""
    others: Mapping[str, Value] = {"names": names} if names else {}
    if policy is None:
        return {"errors": 0, **others}
    thresholds = {"errors": 0, "error_percent": policy.error_percent, "p99_milliseconds": policy.latency_ms}
    return drop_none({**thresholds, "period_seconds": policy.period_seconds, "periods": policy.periods, **others})


def _describe_scaling(policy: SageMakerPolicy) -> Value | None:
    scaling = policy.scaling
    if scaling is None:
        return None
    return drop_none({
        "min": scaling.minimum,
        "max": scaling.maximum,
        "requests_per_instance": scaling.invocations_per_instance,
        "scale_in_cooldown": scaling.scale_in_seconds,
        "scale_out_cooldown": scaling.scale_out_seconds,
        "schedule": {one.name: {"schedule": one.schedule, "min": one.minimum, "max": one.maximum} for one in scaling.schedule}
        or None,
    })  # fmt: skip
