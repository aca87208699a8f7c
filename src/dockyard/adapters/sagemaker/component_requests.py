"""Owns the requests for inference components and for the instances that they run on, like `requests`. Must not call anything.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateInferenceComponent.html
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from dockyard.adapters.sagemaker.tags import tag_deployment, tag_host
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.sagemaker import VARIANT, Rollout, RolloutKind, SageMakerPolicy, SageMakerSpec
from dockyard.domain.sagemaker_component_steps import CreateComponent, CreateHostConfig, UpdateComponent
from dockyard.domain.sagemaker_host import derive_host_name, make_host

Params = dict[str, Any]
Request = tuple[str, str, Params]
COPIES = "sagemaker:inference-component:DesiredCopyCount"
COPIES_METRIC = "SageMakerInferenceComponentInvocationsPerCopy"
_MOST_PERCENT = 50
"""The largest batch that the service takes."""
_COOLDOWN_SECONDS = 60
_LOOK_SECONDS = 30
_ANY_POLICY = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:stand-in"


def create_host_config(key: DeploymentKey, step: CreateHostConfig) -> Params:
    """CreateEndpointConfig with instances and without a model; the service adds instances as copies need them."""
    host = step.host
    variant: Params = {
        "VariantName": VARIANT,
        "InstanceType": host.instances.instance_type,
        "InitialInstanceCount": host.instances.count,
        "ManagedInstanceScaling": {
            "Status": "ENABLED",
            "MinInstanceCount": host.least,
            "MaxInstanceCount": host.most,
        },
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    params: Params = {
        "EndpointConfigName": step.name,
        "ExecutionRoleArn": host.role,
        "ProductionVariants": [variant | _given("VolumeSizeInGB", host.instances.volume_gb)],
        "EnableNetworkIsolation": host.network_isolation,
        "Tags": tag_host(key, host.tags),
    }
    if host.network:
        subnets, groups = host.network
        params["VpcConfig"] = {"Subnets": list(subnets), "SecurityGroupIds": list(groups)}
    return params | _given("KmsKeyId", host.kms_key)


def create_component(key: DeploymentKey, step: CreateComponent) -> Params:
    """CreateInferenceComponent."""
    return {
        "InferenceComponentName": step.endpoint,
        "EndpointName": step.endpoint,
        "VariantName": VARIANT,
        "Specification": specify(step.model, step.spec),
        "RuntimeConfig": {"CopyCount": step.spec.settings.component.copies if step.spec.settings.component else 1},
        "Tags": tag_deployment(key, step.spec.settings.tags),
    }


def update_component(step: UpdateComponent, alarms: tuple[str, ...]) -> Params:
    """UpdateInferenceComponent; `alarms` are the names of those that take it back."""
    deployment: Params = {"RollingUpdatePolicy": _roll(step.rollout)}
    if alarms:
        deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return {
        "InferenceComponentName": step.endpoint,
        "Specification": specify(step.model, step.spec),
        "RuntimeConfig": {"CopyCount": step.copies},
        "DeploymentConfig": deployment,
    }


def specify(model: str, spec: SageMakerSpec) -> Params:
    """What a component runs, and what each copy is given."""
    settings, component = spec.settings, spec.settings.component
    if component is None:
        raise TypeError(f"{model} is to be no inference component")
    needs = {"MinMemoryRequiredInMb": component.memory_mb} | _given("NumberOfCpuCoresRequired", component.cpus)
    needs |= _given("NumberOfAcceleratorDevicesRequired", component.accelerators)
    startup = _given("ModelDataDownloadTimeoutInSeconds", settings.download_timeout_seconds)
    startup |= _given("ContainerStartupHealthCheckTimeoutInSeconds", settings.startup_timeout_seconds)
    return {"ModelName": model, "ComputeResourceRequirements": needs} | _given("StartupParameters", startup or None)


def scaling_resource(component: str) -> Params:
    """What application autoscaling calls the copies."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"inference-component/{component}",
        "ScalableDimension": COPIES,
    }


def name_dimensions(component: str) -> list[Params]:
    """The dimensions of its metrics."""
    return [{"Name": "InferenceComponentName", "Value": component}]


def wake_name(component: str) -> str:
    """The name of the alarm that brings the first copy back."""
    return f"dockyard-{component}-no-capacity"


def put_wake_policy(component: str) -> Params:
    """PutScalingPolicy for a copy where there is none: nothing is to be seen of copies that are not there to be tracked."""
    steps = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": _COOLDOWN_SECONDS,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    }
    name = {"PolicyName": f"dockyard-{component}-wake", "PolicyType": "StepScaling"}
    return scaling_resource(component) | name | {"StepScalingPolicyConfiguration": steps}


def put_wake_alarm(component: str, policy: str) -> Params:
    """PutMetricAlarm for requests that found no copy; `policy` is the ARN of the policy that it sets going."""
    return {
        "AlarmName": wake_name(component),
        "AlarmDescription": f"made by Dockyard for endpoint {component}: brings a copy back when there is none",
        "AlarmActions": [policy],
        "Namespace": "AWS/SageMaker",
        "MetricName": "NoCapacityInvocationFailures",
        "Dimensions": name_dimensions(component),
        "Statistic": "Maximum",
        "Period": _LOOK_SECONDS,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
    }


def render_component(key: DeploymentKey, spec: SageMakerSpec, policy: SageMakerPolicy, endpoint: str) -> Iterator[Request]:
    """Every request that is a component's only, for checking: with stand-ins for names."""
    host = make_host(spec.settings, policy)
    config = CreateHostConfig(name=derive_host_name(endpoint, host), host=host)
    yield "sagemaker", "CreateEndpointConfig", create_host_config(key, config)
    create = CreateComponent(endpoint=endpoint, model=config.name, number=1, spec=spec)
    yield "sagemaker", "CreateInferenceComponent", create_component(key, create)
    update = UpdateComponent(
        endpoint=endpoint,
        model=config.name,
        number=1,
        spec=spec,
        previous=config.name,
        previous_spec=spec,
        copies=1,
        rollout=policy.rollout,
        alarms=policy.alarms,
    )
    yield "sagemaker", "UpdateInferenceComponent", update_component(update, policy.rollout.alarms)
    if policy.scaling is not None and policy.scaling.minimum == 0:
        yield "application-autoscaling", "PutScalingPolicy", put_wake_policy(endpoint)
        yield "cloudwatch", "PutMetricAlarm", put_wake_alarm(endpoint, _ANY_POLICY)


def _roll(rollout: Rollout) -> Params:
    """Copies are replaced in batches, at most half of them at a time: that is as near to all at once as the service goes."""
    percent = rollout.step_percent if rollout.kind is RolloutKind.ROLLING else _MOST_PERCENT
    waits = math.ceil(100 / percent) * rollout.wait_seconds
    return {
        "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": percent},
        "WaitIntervalInSeconds": rollout.wait_seconds,
        "MaximumExecutionTimeoutInSeconds": max(rollout.max_seconds, waits + 600),
    }


def _given(name: str, value: object) -> Params:
    return {} if value is None else {name: value}
