"""Owns which setting stands behind a member of a request, so that a problem is told in the user's words.

The names are those of `environments.<name>.sagemaker` in dockyard.yaml; `env` and `image` stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_VARIANT = "ProductionVariants."
_CONTAINER = "PrimaryContainer."
_ROUTING = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration."
_BLUE_GREEN = "DeploymentConfig.BlueGreenUpdatePolicy."
_ROLLING = "DeploymentConfig.RollingUpdatePolicy."
_TRACKING = "TargetTrackingScalingPolicyConfiguration."
_INPUT = "TransformInput."
_OUTPUT = "TransformOutput."
_NEEDS = "Specification.ComputeResourceRequirements."
_STARTUP = "Specification.StartupParameters."
_ASYNC = "AsyncInferenceConfig."

SETTINGS: Mapping[str, str] = {
    "ExecutionRoleArn": "role",
    "EnableNetworkIsolation": "network_isolation",
    "KmsKeyId": "kms_key",
    "ModelApprovalStatus": "model_package.approval",
    "ModelPackageGroupName": "model_package.group",
    "Tags": "tags",
    "VpcConfig": "subnets",
    "VpcConfig.SecurityGroupIds": "security_groups",
    "VpcConfig.Subnets": "subnets",
    _CONTAINER + "Environment": "env",
    _CONTAINER + "Image": "image",
    _CONTAINER + "ModelDataSource.S3DataSource.S3Uri": "bucket",
    _CONTAINER + "ModelDataUrl": "bucket",
    _VARIANT + "ContainerStartupHealthCheckTimeoutInSeconds": "startup_timeout_seconds",
    _VARIANT + "InitialInstanceCount": "count",
    _VARIANT + "InstanceType": "instance",
    _VARIANT + "ModelDataDownloadTimeoutInSeconds": "download_timeout_seconds",
    _VARIANT + "ServerlessConfig": "serverless",
    _VARIANT + "ServerlessConfig.MaxConcurrency": "serverless.max_concurrency",
    _VARIANT + "ServerlessConfig.MemorySizeInMB": "serverless.memory_mb",
    _VARIANT + "ServerlessConfig.ProvisionedConcurrency": "serverless.provisioned_concurrency",
    _VARIANT + "VolumeSizeInGB": "volume_gb",
    _ASYNC + "ClientConfig.MaxConcurrentInvocationsPerInstance": "asynchronous.max_concurrent_invocations",
    _ASYNC + "OutputConfig.KmsKeyId": "kms_key",
    _ASYNC + "OutputConfig.NotificationConfig.ErrorTopic": "asynchronous.error_topic",
    _ASYNC + "OutputConfig.NotificationConfig.SuccessTopic": "asynchronous.success_topic",
    _ASYNC + "OutputConfig.S3FailurePath": "asynchronous.failures",
    _ASYNC + "OutputConfig.S3OutputPath": "asynchronous.output",
    _VARIANT + "ManagedInstanceScaling.MaxInstanceCount": "component.max_instances",
    _VARIANT + "ManagedInstanceScaling.MinInstanceCount": "count",
    _NEEDS + "MinMemoryRequiredInMb": "component.memory_mb",
    _NEEDS + "NumberOfAcceleratorDevicesRequired": "component.accelerators",
    _NEEDS + "NumberOfCpuCoresRequired": "component.cpus",
    _STARTUP + "ContainerStartupHealthCheckTimeoutInSeconds": "startup_timeout_seconds",
    _STARTUP + "ModelDataDownloadTimeoutInSeconds": "download_timeout_seconds",
    "RuntimeConfig.CopyCount": "component.copies",
    "AsyncInferenceConfig": "asynchronous",
    "DataCaptureConfig": "data_capture",
    "DataCaptureConfig.DestinationS3Uri": "data_capture.destination",
    "DataCaptureConfig.InitialSamplingPercentage": "data_capture.percent",
    "DataCaptureConfig.KmsKeyId": "kms_key",
    "DeploymentConfig.AutoRollbackConfiguration.Alarms": "rollout.alarms",
    _ROUTING + "CanarySize.Value": "rollout.step_percent",
    _ROUTING + "LinearStepSize.Value": "rollout.step_percent",
    _ROUTING + "Type": "rollout.kind",
    _ROUTING + "WaitIntervalInSeconds": "rollout.wait_seconds",
    _BLUE_GREEN + "MaximumExecutionTimeoutInSeconds": "rollout.max_seconds",
    _BLUE_GREEN + "TerminationWaitInSeconds": "rollout.termination_wait_seconds",
    _ROLLING + "MaximumBatchSize.Value": "rollout.step_percent",
    _ROLLING + "MaximumExecutionTimeoutInSeconds": "rollout.max_seconds",
    _ROLLING + "WaitIntervalInSeconds": "rollout.wait_seconds",
    _INPUT + "ContentType": "batch.content_type",
    _INPUT + "DataSource.S3DataSource.S3Uri": "--input",
    _OUTPUT + "Accept": "batch.accept",
    _OUTPUT + "KmsKeyId": "kms_key",
    _OUTPUT + "S3OutputPath": "--output",
    "TransformResources.InstanceCount": "batch.count",
    "TransformResources.InstanceType": "batch.instance",
    "TransformResources.VolumeKmsKeyId": "kms_key",
    "MaxConcurrentTransforms": "batch.max_concurrent",
    "MaxPayloadInMB": "batch.max_payload_mb",
    "EvaluationPeriods": "alarms.periods",
    "Metrics.MetricStat.Period": "alarms.period_seconds",
    "Period": "alarms.period_seconds",
    "MaxCapacity": "scaling.maximum",
    "MinCapacity": "scaling.minimum",
    "ScalableTargetAction.MaxCapacity": "scaling.schedule.maximum",
    "ScalableTargetAction.MinCapacity": "scaling.schedule.minimum",
    "Schedule": "scaling.schedule.schedule",
    "ScheduledActionName": "scaling.schedule.name",
    _TRACKING + "ScaleInCooldown": "scaling.scale_in_seconds",
    _TRACKING + "ScaleOutCooldown": "scaling.scale_out_seconds",
    _TRACKING + "TargetValue": "scaling.invocations_per_instance",
}
"""The setting for a member, and for everything below it that has none of its own. Lists are left out of the path."""
_NAMED = frozenset({"env"})  # what stands below is the user's own name, and worth telling


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands in a request."""

    service: str
    operation: str
    path: tuple[str, ...]


def name_place(place: Place) -> str:
    """The setting behind a value; operation and member where there is none."""
    members = [part for part in place.path if not part.startswith("[")]
    for length in range(len(members), 0, -1):
        setting = SETTINGS.get(".".join(members[:length]))
        if setting is not None:
            return ".".join((setting, *members[length:])) if setting in _NAMED else setting
    return ".".join((place.operation, *members))
