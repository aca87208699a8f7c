"""Owns the requests that steps become: pure functions from the domain to parameters of AWS calls. Must not call anything.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/, https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/,
https://docs.aws.amazon.com/autoscaling/application/APIReference/
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from dockyard.adapters.sagemaker import component_requests
from dockyard.adapters.sagemaker.package_requests import render_package
from dockyard.adapters.sagemaker.tags import tag_deployment, tag_host, tag_revision, tag_shadow
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import Fingerprint
from dockyard.domain.model import ModelDigest, ModelIdentity
from dockyard.domain.sagemaker import (
    VARIANT,
    AlarmPolicy,
    AsyncInference,
    Instances,
    ModelDelivery,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    SageMakerSettings,
    SageMakerSpec,
    Scaling,
    derive_endpoint_name,
    derive_revision_name,
)
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_shadow import SHADOW_VARIANT, derive_shadow_name
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    CreateShadowConfig,
    UpdateEndpoint,
)

Params = dict[str, Any]
Request = tuple[str, str, Params]
"""Service, operation, parameters."""
OWN_VARIABLES = frozenset({"DOCKYARD_REVISION"})
"""Environment variables that are ours, and no setting of the user's."""
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_INSTANCES_METRIC = "SageMakerVariantInvocationsPerInstance"
_NAMESPACE = "AWS/SageMaker"
_ANY_ROLE = "arn:aws:iam::123456789012:role/dockyard"


def create_model(key: DeploymentKey, step: CreateModel, image: str) -> Params:
    """CreateModel."""
    settings = step.spec.settings
    container: Params = {"Image": image, "Environment": {**dict(settings.env), "DOCKYARD_REVISION": str(step.number)}}
    if settings.delivery is ModelDelivery.ARCHIVE:
        container["ModelDataUrl"] = model_data(settings, step.name)
    if settings.delivery is ModelDelivery.PREFIX:
        source = {"S3Uri": model_data(settings, step.name), "S3DataType": "S3Prefix", "CompressionType": "None"}
        container["ModelDataSource"] = {"S3DataSource": source}
    params: Params = {
        "ModelName": step.name,
        "PrimaryContainer": container,
        "ExecutionRoleArn": settings.role,
        "EnableNetworkIsolation": settings.network_isolation,
        "Tags": tag_revision(key, step.number, step.spec),
    }
    if settings.network is not None:
        network = settings.network
        params["VpcConfig"] = {"Subnets": list(network.subnets), "SecurityGroupIds": list(network.security_groups)}
    return params


def model_data(settings: SageMakerSettings, name: str) -> str:
    """Where a revision's model data is on S3."""
    folder = f"{(settings.bucket or '').rstrip('/')}/{name}/"
    return f"{folder}model.tar.gz" if settings.delivery is ModelDelivery.ARCHIVE else folder


def create_endpoint_config(key: DeploymentKey, step: CreateEndpointConfig) -> Params:
    """CreateEndpointConfig."""
    settings = step.spec.settings
    params: Params = {
        "EndpointConfigName": step.name,
        "ProductionVariants": [_variant(settings, step.name)],
        "Tags": tag_revision(key, step.number, step.spec),
    }
    if settings.kms_key and isinstance(settings.capacity, Instances):
        params["KmsKeyId"] = settings.kms_key
    if settings.data_capture is not None:
        params["DataCaptureConfig"] = _data_capture(settings.data_capture, settings.kms_key)
    if settings.asynchronous is not None:
        params["AsyncInferenceConfig"] = _asynchronous(settings.asynchronous, settings.kms_key)
    return params


def create_shadow_config(key: DeploymentKey, step: CreateShadowConfig) -> Params:
    """CreateEndpointConfig with a shadow. What is the endpoint's own, and no variant's, is as the serving revision has it."""
    production = CreateEndpointConfig(number=0, name=step.production, spec=step.production_spec)
    shadow = _variant(step.shadow_spec.settings, step.shadow)
    changed = {"VariantName": SHADOW_VARIANT, "InitialVariantWeight": step.percent / 100}
    return create_endpoint_config(key, production) | {
        "EndpointConfigName": step.name,
        "ShadowProductionVariants": [shadow | changed],
        "Tags": tag_shadow(key, step.production_spec),
    }


def create_endpoint(key: DeploymentKey, step: CreateEndpoint) -> Params:
    """CreateEndpoint."""
    tags = tag_host(key) if step.is_host else tag_deployment(key)
    return {"EndpointName": step.endpoint, "EndpointConfigName": step.config, "Tags": tags}


def update_endpoint(step: UpdateEndpoint) -> Params:
    """UpdateEndpoint. Counts that autoscaling chose are kept, because the service would go back to the first ones."""
    params: Params = {"EndpointName": step.endpoint, "EndpointConfigName": step.config}
    if step.is_host:  # its traffic is that of the component, which has a rollout of its own
        return params
    if step.keeps_counts:
        params["RetainAllVariantProperties"] = True
        params["ExcludeRetainedVariantProperties"] = [
            {"VariantPropertyType": "DesiredWeight"},
            {"VariantPropertyType": "DataCaptureConfig"},
        ]
    names = [*alarm_names(step.endpoint, step.alarms), *step.rollout.alarms]
    deployment = _deployment(step.rollout)
    if names:
        deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in names]}
    params["DeploymentConfig"] = deployment
    return params


def alarm_names(endpoint: str, policy: AlarmPolicy | None) -> tuple[str, ...]:
    """The names of the alarms that a policy asks for."""
    if policy is None:
        return ()
    wanted = {"errors": policy.error_percent, "latency": policy.latency_ms}
    return tuple(alarm_name(endpoint, kind) for kind, value in wanted.items() if value is not None)


def alarm_name(endpoint: str, kind: str) -> str:
    """The name of an endpoint's alarm, `errors` or `latency`."""
    return f"dockyard-{endpoint}-{kind}"


def put_alarms(key: DeploymentKey, endpoint: str, policy: AlarmPolicy, *, of_component: bool = False) -> Iterator[Params]:
    """PutMetricAlarm for each alarm of a policy."""
    common: Params = {
        "AlarmDescription": f"made by Dockyard for {key}: takes rollouts back",
        "EvaluationPeriods": policy.periods,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": tag_deployment(key),
    }
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": VARIANT}]
    if of_component:
        dimensions = component_requests.name_dimensions(endpoint)
    if policy.error_percent is not None:
        yield common | {
            "AlarmName": alarm_name(endpoint, "errors"),
            "Threshold": float(policy.error_percent),
            "Metrics": [
                {"Id": "percent", "Expression": "100 * errors / IF(calls > 0, calls, 1)", "ReturnData": True, "Label": "5xx %"},
                _metric("errors", "Invocation5XXErrors", dimensions, policy.period_seconds),
                _metric("calls", "Invocations", dimensions, policy.period_seconds),
            ],
        }
    if policy.latency_ms is not None:
        yield common | {
            "AlarmName": alarm_name(endpoint, "latency"),
            "Threshold": float(policy.latency_ms * 1000),  # ModelLatency is in microseconds
            "Namespace": _NAMESPACE,
            "MetricName": "ModelLatency",
            "Dimensions": dimensions,
            "ExtendedStatistic": "p99",
            "Period": policy.period_seconds,
        }


def scaling_resource(endpoint: str, *, of_component: bool = False) -> Params:
    """What application autoscaling calls the endpoint's variant, or its component."""
    if of_component:
        return component_requests.scaling_resource(endpoint)
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": DIMENSION,
    }


def put_scaling(endpoint: str, scaling: Scaling, *, of_component: bool = False) -> Iterator[Request]:
    """RegisterScalableTarget, then what scales it."""
    resource = scaling_resource(endpoint, of_component=of_component)
    metric = component_requests.COPIES_METRIC if of_component else _INSTANCES_METRIC
    service = "application-autoscaling"
    limits = {"MinCapacity": scaling.minimum, "MaxCapacity": scaling.maximum}
    yield service, "RegisterScalableTarget", resource | limits
    if scaling.invocations_per_instance is not None:
        yield (
            service,
            "PutScalingPolicy",
            resource
            | {
                "PolicyName": f"dockyard-{endpoint}",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": float(scaling.invocations_per_instance),
                    "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
                    "ScaleInCooldown": scaling.scale_in_seconds,
                    "ScaleOutCooldown": scaling.scale_out_seconds,
                },
            },
        )
    for one in scaling.schedule:
        action = {"MinCapacity": one.minimum, "MaxCapacity": one.maximum}
        names = {"ScheduledActionName": one.name, "Schedule": one.schedule, "ScalableTargetAction": action}
        yield service, "PutScheduledAction", resource | names


def render_all(key: DeploymentKey, settings: SageMakerSettings, policy: SageMakerPolicy) -> list[Request]:
    """Every request that a deploy with these settings may send, for checking: with a stand-in for model and image."""
    model = ModelIdentity(digest=ModelDigest("sha256:" + "0" * 64), source="model", name="model", version="1")
    settings = settings if settings.role else dataclasses.replace(settings, role=_ANY_ROLE)
    spec = SageMakerSpec(model=model, fingerprint=Fingerprint("sha256:" + "0" * 64), settings=settings)
    endpoint = derive_endpoint_name(key.environment, key.name)
    name = derive_revision_name(endpoint, spec.spec_hash)
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/dockyard/{endpoint}@sha256:{'0' * 64}"
    is_host = settings.component is not None and isinstance(settings.capacity, Instances)
    create = CreateEndpoint(endpoint=endpoint, config=name, number=1, is_host=is_host)
    requests: list[Request] = [
        ("sagemaker", "CreateModel", create_model(key, CreateModel(number=1, name=name, spec=spec), image)),
        ("sagemaker", "CreateEndpoint", create_endpoint(key, create)),
    ]
    if is_host:
        requests += component_requests.render_component(key, spec, policy, endpoint)
    else:
        requests += _render_endpoint(key, spec, policy, endpoint)
    if policy.alarms is not None:
        alarms = put_alarms(key, endpoint, policy.alarms, of_component=is_host)
        requests += [("cloudwatch", "PutMetricAlarm", one) for one in alarms]
    if policy.package is not None:
        requests += render_package(key, policy.package, spec, requests[0][2])
    if policy.scaling is not None:
        requests += put_scaling(endpoint, policy.scaling, of_component=is_host)
    return requests


def _render_endpoint(key: DeploymentKey, spec: SageMakerSpec, policy: SageMakerPolicy, endpoint: str) -> Iterator[Request]:
    """What a revision has that is the endpoint's own."""
    name = derive_revision_name(endpoint, spec.spec_hash)
    config = create_endpoint_config(key, CreateEndpointConfig(number=1, name=name, spec=spec))
    yield "sagemaker", "CreateEndpointConfig", config
    update = UpdateEndpoint(
        endpoint=endpoint,
        config=name,
        number=1,
        previous_config=name,
        rollout=policy.rollout,
        alarms=policy.alarms,
        keeps_counts=policy.scaling is not None,
    )
    yield "sagemaker", "UpdateEndpoint", update_endpoint(update)
    if policy.rollout.kind is RolloutKind.SHADOW:
        yield "sagemaker", "CreateEndpointConfig", create_shadow_config(key, _stand_in_shadow(endpoint, spec, policy))


def _stand_in_shadow(endpoint: str, spec: SageMakerSpec, policy: SageMakerPolicy) -> CreateShadowConfig:
    name, percent = derive_revision_name(endpoint, spec.spec_hash), policy.rollout.shadow_percent
    return CreateShadowConfig(
        name=derive_shadow_name(endpoint, name, name, percent),
        production=name,
        production_spec=spec,
        shadow=name,
        shadow_spec=spec,
        percent=percent,
    )


def differs(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> str | None:
    """Where what is there is not as wanted: the path of the first difference. What only the service adds does not count."""
    for name, value in wanted.items():
        path = _differs(value, there.get(name))
        if path is not None:
            return name + path
    return None


def _differs(wanted: Any, there: Any) -> str | None:  # noqa: ANN401  JSON
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        inner = differs(wanted, there)
        return None if inner is None else f".{inner}"
    if isinstance(wanted, list) and isinstance(there, list):
        if len(wanted) != len(there):
            return ""
        paths = (path for path in (_differs(one, other) for one, other in zip(wanted, there, strict=True)) if path is not None)
        return next(paths, None)
    if wanted in (False, {}, []) and not there:
        return None
    return None if wanted == there else ""


def _variant(settings: SageMakerSettings, name: str) -> Params:
    variant: Params = {"VariantName": VARIANT, "ModelName": name, "InitialVariantWeight": 1.0}
    capacity = settings.capacity
    if isinstance(capacity, Instances):
        variant |= {"InstanceType": capacity.instance_type, "InitialInstanceCount": capacity.count}
        variant |= _given("VolumeSizeInGB", capacity.volume_gb)
        variant |= _given("ModelDataDownloadTimeoutInSeconds", settings.download_timeout_seconds)
        variant |= _given("ContainerStartupHealthCheckTimeoutInSeconds", settings.startup_timeout_seconds)
        return variant
    serverless = {"MemorySizeInMB": capacity.memory_mb, "MaxConcurrency": capacity.max_concurrency}
    return variant | {"ServerlessConfig": serverless | _given("ProvisionedConcurrency", capacity.provisioned_concurrency)}


def _given(name: str, value: object) -> Params:
    return {} if value is None else {name: value}


def _data_capture(capture: DataCapture, kms_key: str | None) -> Params:
    modes = [("Input", capture.captures_input), ("Output", capture.captures_output)]
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent,
        "DestinationS3Uri": capture.destination,
        "CaptureOptions": [{"CaptureMode": mode} for mode, is_wanted in modes if is_wanted],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"], "CsvContentTypes": ["text/csv"]},
    } | _given("KmsKeyId", kms_key)


def _asynchronous(wanted: AsyncInference, kms_key: str | None) -> Params:
    output: Params = {"S3OutputPath": wanted.output} | _given("S3FailurePath", wanted.failures) | _given("KmsKeyId", kms_key)
    topics = _given("SuccessTopic", wanted.success_topic) | _given("ErrorTopic", wanted.error_topic)
    if topics:
        output["NotificationConfig"] = topics
    client = _given("MaxConcurrentInvocationsPerInstance", wanted.max_concurrent_invocations)
    return {"OutputConfig": output} | ({"ClientConfig": client} if client else {})


def _metric(identity: str, name: str, dimensions: list[Params], period: int) -> Params:
    metric = {"Namespace": _NAMESPACE, "MetricName": name, "Dimensions": dimensions}
    return {"Id": identity, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}, "ReturnData": False}


def _deployment(rollout: Rollout) -> Params:
    share = {"Type": "CAPACITY_PERCENT", "Value": rollout.step_percent}
    if rollout.kind is RolloutKind.ROLLING:
        return {
            "RollingUpdatePolicy": {
                "MaximumBatchSize": share,
                "WaitIntervalInSeconds": rollout.wait_seconds,
                "MaximumExecutionTimeoutInSeconds": max_seconds(rollout),
            }
        }
    kind = RolloutKind.ALL_AT_ONCE if rollout.kind is RolloutKind.SHADOW else rollout.kind
    routing: Params = {"Type": kind.value.upper().replace("-", "_"), "WaitIntervalInSeconds": rollout.wait_seconds}
    if rollout.kind is RolloutKind.CANARY:
        routing["CanarySize"] = share
    if rollout.kind is RolloutKind.LINEAR:
        routing["LinearStepSize"] = share
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": rollout.termination_wait_seconds,
            "MaximumExecutionTimeoutInSeconds": max_seconds(rollout),
        }
    }


def max_seconds(rollout: Rollout) -> int:
    """When a rollout is given up: the service refuses a time that is shorter than the waits in it."""
    steps = 1
    if rollout.kind in {RolloutKind.LINEAR, RolloutKind.ROLLING}:
        steps = math.ceil(100 / rollout.step_percent)
    if rollout.kind is RolloutKind.CANARY:
        steps = 2
    waits = steps * rollout.wait_seconds + rollout.termination_wait_seconds
    return max(rollout.max_seconds, waits + 600)
