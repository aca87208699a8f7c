"""Application Auto Scaling for SageMaker: targets, policies and scheduled actions are kept, and checked as AWS checks them.

Owns those records, and the alarms that a target-tracking policy brings with it. Must not scale anything: capacities are as they
were set, so that a rollout can be watched. https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from dockyard_sandbox.arns import ACCOUNT
from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.errors import ApiError, refuse
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.metrics import NAMESPACE
from dockyard_sandbox.serving import Serving

Document: TypeAlias = dict[str, object]
_COPIES = "sagemaker:inference-component:DesiredCopyCount"
_INSTANCES = "sagemaker:variant:DesiredInstanceCount"
_ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_METRICS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "SageMakerVariantInvocationsPerInstance": ("InvocationsPerInstance", "Sum"),
        "SageMakerVariantProvisionedConcurrencyUtilization": ("ServerlessProvisionedConcurrencyUtilization", "Maximum"),
        "SageMakerInferenceComponentInvocationsPerCopy": ("InvocationsPerCopy", "Sum"),
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": ("ConcurrentRequestsPerCopy", "Average"),
        "SageMakerVariantConcurrentRequestsPerModelHighResolution": ("ConcurrentRequestsPerModel", "Average"),
    }
)
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_PAGE = 50


@dataclass(slots=True, kw_only=True)
class ScalableTarget:
    """A target, with its policies and scheduled actions by name. Changed only under the lock of its Scaling."""

    arn: str
    resource_id: str
    dimension: str
    low: int
    high: int
    created: float
    suspended: dict[str, bool]
    labels: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Document] = field(default_factory=dict)
    actions: dict[str, Document] = field(default_factory=dict)


class Scaling:
    """The targets of one region."""

    def __init__(self, region: str, serving: Serving, aws: Aws) -> None:
        self._region = region
        self._serving = serving
        self._aws = aws
        self._lock = threading.RLock()
        self._targets: dict[tuple[str, str], ScalableTarget] = {}
        self._operations: Mapping[str, Callable[[Fields], Document]] = MappingProxyType(
            {
                "RegisterScalableTarget": self._register,
                "DeregisterScalableTarget": self._deregister,
                "DescribeScalableTargets": self._describe_targets,
                "PutScalingPolicy": self._put_policy,
                "DeleteScalingPolicy": self._delete_policy,
                "DescribeScalingPolicies": self._describe_policies,
                "PutScheduledAction": self._put_action,
                "DeleteScheduledAction": self._delete_action,
                "DescribeScheduledActions": self._describe_actions,
                "DescribeScalingActivities": lambda _: {"ScalingActivities": []},
                "TagResource": self._tag,
                "UntagResource": self._untag,
                "ListTagsForResource": self._list_tags,
            }
        )

    @property
    def operations(self) -> frozenset[str]:
        """The calls that are offered."""
        return frozenset(self._operations)

    def call(self, operation: str, request: Fields) -> Document:
        """Answer a call. Raises ApiError."""
        with self._lock:
            return self._operations[operation](request)

    # Targets

    def _register(self, request: Fields) -> Document:
        key = _key(request)
        self._refuse_missing(*key)
        known = self._targets.get(key)
        if known is None and not {"MinCapacity", "MaxCapacity"} <= request.keys():
            raise refuse("MinCapacity and MaxCapacity are required for a new scalable target.")
        low = request.whole("MinCapacity", known.low if known else 0)
        high = request.whole("MaxCapacity", known.high if known else 0)
        if low > high:
            raise refuse("Maximum capacity cannot be less than minimum capacity")
        if low < 1 and key[1] == _INSTANCES and not self._is_asynchronous(key[0]):
            raise refuse("Minimum capacity must be at least 1 for a variant of a real-time endpoint.")
        target = known or self._make(*key)
        target.low, target.high = low, high
        target.suspended.update({name: request.child("SuspendedState").flag(name) for name in request.child("SuspendedState")})
        target.labels.update(request.text_map("Tags"))
        return {"ScalableTargetARN": target.arn}

    def _make(self, resource_id: str, dimension: str) -> ScalableTarget:
        target = ScalableTarget(
            arn=f"arn:aws:application-autoscaling:{self._region}:{ACCOUNT}:scalable-target/{uuid.uuid4().hex}",
            resource_id=resource_id,
            dimension=dimension,
            low=0,
            high=0,
            created=time.time(),
            suspended=dict.fromkeys(_SUSPENDED, False),
        )
        self._targets[resource_id, dimension] = target
        return target

    def _deregister(self, request: Fields) -> Document:
        target = self._find(request)
        for name in list(target.policies):
            self._drop_policy(target, name)
        del self._targets[target.resource_id, target.dimension]
        return {}

    def _describe_targets(self, request: Fields) -> Document:
        wanted, dimension = request.texts("ResourceIds"), request.text("ScalableDimension")
        chosen = [
            target
            for target in self._targets.values()
            if (not wanted or target.resource_id in wanted) and dimension in {"", target.dimension}
        ]
        return _page("ScalableTargets", [_tell_target(target) for target in chosen], request)

    def _refuse_missing(self, resource_id: str, dimension: str) -> None:
        """A component is looked for by its scaling alone: which endpoint it is on, its id does not say."""
        kind, _, name = resource_id.partition("/")
        if kind == "inference-component" and dimension == _COPIES and name:
            return
        endpoint_name, _, rest = name.partition("/")
        endpoint = self._serving.find_serving(self._region, endpoint_name)
        variants = {f"variant/{variant.name}" for variant in endpoint.variants} if endpoint else set()
        if kind != "endpoint" or dimension == _COPIES or rest not in variants:
            raise refuse(f"No resource {resource_id} that scales by {dimension} exists.")

    def _is_asynchronous(self, resource_id: str) -> bool:
        endpoint = self._serving.find_serving(self._region, resource_id.split("/")[1])
        return endpoint is not None and "AsyncInferenceConfig" in endpoint.config

    def _find(self, request: Fields) -> ScalableTarget:
        resource_id, dimension = _key(request)
        if (resource_id, dimension) not in self._targets:
            raise ApiError(
                "ObjectNotFoundException",
                "No scalable target found for service namespace: sagemaker, "
                f"resource ID: {resource_id}, scalable dimension: {dimension}",
            )
        return self._targets[resource_id, dimension]

    # Policies

    def _put_policy(self, request: Fields) -> Document:
        target, name = self._find(request), request.text("PolicyName")
        known = target.policies.get(name, {})
        kind = request.text("PolicyType", str(known.get("PolicyType", "StepScaling")))
        tracked = request.child("TargetTrackingScalingPolicyConfiguration")
        if (kind == "TargetTrackingScaling") != bool(tracked):
            raise refuse(f"The configuration does not fit the policy type {kind}.")
        arn = known.get("PolicyARN") or self._name_policy(target, name)
        self._drop_policy(target, name)
        policy: Document = {
            "PolicyARN": arn,
            "PolicyName": name,
            **_tell_key(target),
            "PolicyType": kind,
            **request.only("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration"),
            "Alarms": self._make_alarms(target, tracked, str(arn)) if tracked else [],
            "CreationTime": time.time(),
        }
        target.policies[name] = policy
        return {"PolicyARN": arn, "Alarms": policy["Alarms"]}

    def _name_policy(self, target: ScalableTarget, name: str) -> str:
        path = f"scalingPolicy:{uuid.uuid4()}:resource/sagemaker/{target.resource_id}:policyName/{name}"
        return f"arn:aws:autoscaling:{self._region}:{ACCOUNT}:{path}"

    def _delete_policy(self, request: Fields) -> Document:
        target, name = self._find(request), request.text("PolicyName")
        if name not in target.policies:
            raise _missing("scaling policy", name, target)
        self._drop_policy(target, name)
        return {}

    def _drop_policy(self, target: ScalableTarget, name: str) -> None:
        policy = Fields(target.policies.pop(name, {}))
        names = [alarm.text("AlarmName") for alarm in policy.items_of("Alarms")]
        if names:
            with suppress(AwsError):  # somebody has deleted them already
                self._aws.call("cloudwatch", self._region, "delete_alarms", AlarmNames=names)

    def _make_alarms(self, target: ScalableTarget, tracked: Fields, policy_arn: str) -> list[Document]:
        """One above and one below the value that is tracked, as AWS makes them."""
        predefined = tracked.child("PredefinedMetricSpecification").text("PredefinedMetricType")
        custom = tracked.child("CustomizedMetricSpecification")
        metric, statistic = _METRICS.get(predefined, (custom.text("MetricName"), custom.text("Statistic", "Average")))
        if not metric:
            return []
        dimensions = [one.plain() for one in custom.items_of("Dimensions")] or _name_dimensions(target.resource_id)
        made: list[Document] = []
        for side, comparison, periods in (("High", "GreaterThanThreshold", 3), ("Low", "LessThanThreshold", 15)):
            name = f"TargetTracking-{target.resource_id}-Alarm{side}-{uuid.uuid4()}"
            self._aws.call(
                "cloudwatch",
                self._region,
                "put_metric_alarm",
                AlarmName=name,
                AlarmActions=[policy_arn],
                Namespace=custom.text("Namespace", NAMESPACE),
                MetricName=metric,
                Dimensions=dimensions,
                Statistic=statistic,
                Period=60,
                EvaluationPeriods=periods,
                Threshold=tracked.number("TargetValue") * (1.0 if side == "High" else 0.9),
                ComparisonOperator=comparison,
            )
            made.append({"AlarmName": name, "AlarmARN": f"arn:aws:cloudwatch:{self._region}:{ACCOUNT}:alarm:{name}"})
        return made

    def _describe_policies(self, request: Fields) -> Document:
        wanted = request.texts("PolicyNames")
        policies = [one for target in self._choose(request) for one in target.policies.values()]
        return _page("ScalingPolicies", [one for one in policies if not wanted or one["PolicyName"] in wanted], request)

    # Scheduled actions

    def _put_action(self, request: Fields) -> Document:
        target, name = self._find(request), request.text("ScheduledActionName")
        known = target.actions.get(name, {})
        if "Schedule" not in request and not known:
            raise refuse("Schedule is required for a new scheduled action.")
        path = f"scheduledAction:{uuid.uuid4()}:resource/sagemaker/{target.resource_id}:scheduledActionName/{name}"
        target.actions[name] = {
            "ScheduledActionARN": f"arn:aws:autoscaling:{self._region}:{ACCOUNT}:{path}",
            "CreationTime": time.time(),
            **known,
            "ScheduledActionName": name,
            **_tell_key(target),
            **request.only("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction"),
        }
        return {}

    def _delete_action(self, request: Fields) -> Document:
        target, name = self._find(request), request.text("ScheduledActionName")
        if target.actions.pop(name, None) is None:
            raise _missing("scheduled action", name, target)
        return {}

    def _describe_actions(self, request: Fields) -> Document:
        wanted = request.texts("ScheduledActionNames")
        actions = [one for target in self._choose(request) for one in target.actions.values()]
        chosen = [one for one in actions if not wanted or one["ScheduledActionName"] in wanted]
        return _page("ScheduledActions", chosen, request)

    # Parts

    def _choose(self, request: Fields) -> list[ScalableTarget]:
        resource_id, dimension = _key(request)
        return [
            target
            for target in self._targets.values()
            if resource_id in {"", target.resource_id} and dimension in {"", target.dimension}
        ]

    def _tag(self, request: Fields) -> Document:
        self._find_arn(request).labels.update(request.text_map("Tags"))
        return {}

    def _untag(self, request: Fields) -> Document:
        labels = self._find_arn(request).labels
        for key in request.texts("TagKeys"):
            labels.pop(key, None)
        return {}

    def _list_tags(self, request: Fields) -> Document:
        return {"Tags": dict(self._find_arn(request).labels)}

    def _find_arn(self, request: Fields) -> ScalableTarget:
        arn = request.text("ResourceARN")
        for target in self._targets.values():
            if target.arn == arn:
                return target
        raise ApiError("ResourceNotFoundException", f"The resource {arn} does not exist.")


def _key(request: Fields) -> tuple[str, str]:
    return request.text("ResourceId"), request.text("ScalableDimension")


def _tell_key(target: ScalableTarget) -> Document:
    return {"ServiceNamespace": "sagemaker", "ResourceId": target.resource_id, "ScalableDimension": target.dimension}


def _tell_target(target: ScalableTarget) -> Document:
    return {
        **_tell_key(target),
        "MinCapacity": target.low,
        "MaxCapacity": target.high,
        "RoleARN": _ROLE,
        "CreationTime": target.created,
        "SuspendedState": dict(target.suspended),
        "ScalableTargetARN": target.arn,
    }


def _name_dimensions(resource_id: str) -> list[Document]:
    kind, name, *rest = resource_id.split("/")
    if kind == "inference-component":
        return [{"Name": "InferenceComponentName", "Value": name}]
    return [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": rest[-1]}]


def _missing(kind: str, name: str, target: ScalableTarget) -> ApiError:
    return ApiError(
        "ObjectNotFoundException",
        f"No {kind} found for service namespace: sagemaker, resource ID: {target.resource_id}, scalable dimension: "
        f"{target.dimension}, name: {name}",
    )


def _page(name: str, items: Iterable[Document], request: Fields) -> Document:
    found, start = list(items), request.text("NextToken", "0")
    if not start.isdigit():
        raise ApiError("InvalidNextTokenException", "The next token is invalid.")
    end = int(start) + request.whole("MaxResults", _PAGE)
    return {name: found[int(start) : end], **({"NextToken": str(end)} if end < len(found) else {})}
