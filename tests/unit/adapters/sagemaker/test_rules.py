"""Rules between the members of a request, which the service's model does not have."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dockyard.adapters.sagemaker.validation import check_request

ROLE = "arn:aws:iam::123456789012:role/wine"
INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}


def tell_model(container: dict[str, object], **more: object) -> list[str]:
    params = {"ModelName": "wine", "ExecutionRoleArn": ROLE, "PrimaryContainer": container, **more}
    return [str(one) for one in check_request("sagemaker", "CreateModel", params)]


def tell_config(*variants: Mapping[str, object], **more: object) -> list[str]:
    named = [{"VariantName": f"v{number}", "ModelName": "wine", **one} for number, one in enumerate(variants)]
    params = {"EndpointConfigName": "wine", "ProductionVariants": named, **more}
    return [str(one) for one in check_request("sagemaker", "CreateEndpointConfig", params)]


def tell_update(**config: object) -> list[str]:
    params = {"EndpointName": "wine", "EndpointConfigName": "wine", "DeploymentConfig": config}
    return [str(one) for one in check_request("sagemaker", "UpdateEndpoint", params)]


def percent(value: int) -> dict[str, object]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def blue_green(kind: str, wait: int = 300, *, last: int = 0, limit: int = 3600, **sizes: object) -> dict[str, object]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **sizes},
            "TerminationWaitInSeconds": last,
            "MaximumExecutionTimeoutInSeconds": limit,
        }
    }


def rolling(size: int, wait: int = 60, limit: int = 3600) -> dict[str, object]:
    return {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": percent(size),
            "WaitIntervalInSeconds": wait,
            "MaximumExecutionTimeoutInSeconds": limit,
        }
    }


def test_environment_variables_are_counted_in_bytes() -> None:
    assert tell_model({"Environment": {"A": "é" * 512}}) == []
    assert tell_model({"Environment": {"A": "é" * 513}}) == ["`env.A`: has 1026 bytes; the service takes 1024 at most"]


def test_environment_variables_are_counted_together() -> None:
    full = {f"NAME_{number:02}": "v" * 1017 for number in range(32)}  # 7 and 1017 bytes, 32 times

    assert tell_model({"Environment": full}) == []
    assert tell_model({"Environment": {**full, "A": ""}}) == ["`env`: all names and values have 32769 bytes together, of 32768"]


def test_tags_have_keys_of_their_own() -> None:
    tags = [{"Key": "team", "Value": "a"}, {"Key": "team", "Value": "b"}, {"Key": "AWS:x", "Value": ""}]

    assert tell_model({}, Tags=tags) == [
        "`tags`: team is there 2 times",
        "`tags`: AWS:x begins with aws:, which AWS keeps for itself",
    ]


def test_uncompressed_model_data_is_a_prefix() -> None:
    def source(uri: str) -> dict[str, object]:
        return {"S3DataSource": {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}}

    assert tell_model({"ModelDataSource": source("s3://bucket/wine/")}) == []
    assert tell_model({"ModelDataSource": source("s3://bucket/wine")}) == [
        "`bucket`: the prefix of uncompressed model data must end with /"
    ]
    assert tell_model({"ModelDataSource": source("s3://b/w/"), "ModelDataUrl": "s3://b/w.tar.gz"}) == [
        "`bucket`: cannot be together with ModelDataSource"
    ]


def test_variant_has_either_instances_or_is_serverless() -> None:
    problem = "`instance`: a variant has either instances or is serverless"

    assert tell_config(INSTANCES) == tell_config(SERVERLESS) == []
    assert tell_config({**INSTANCES, **SERVERLESS}) == [problem]
    assert tell_config({}) == [problem]


def test_variant_has_an_instance_to_begin_with() -> None:
    assert tell_config({**INSTANCES, "InitialInstanceCount": 0}) == ["`count`: is 0; the service takes 1 and more"]


def test_variants_have_names_of_their_own_and_a_shadow_shadows_one() -> None:
    shadow = {"VariantName": "v0", "ModelName": "wine", **INSTANCES}

    assert tell_config(INSTANCES, ShadowProductionVariants=[{**shadow, "VariantName": "s"}]) == []
    assert tell_config(INSTANCES, ShadowProductionVariants=[shadow]) == [
        "`CreateEndpointConfig.ProductionVariants`: 2 variants are called v0"
    ]
    assert tell_config(INSTANCES, INSTANCES, ShadowProductionVariants=[{**shadow, "VariantName": "s"}]) == [
        "`CreateEndpointConfig.ShadowProductionVariants`: takes exactly one variant, beside exactly one in production"
    ]


@pytest.mark.parametrize("instance", ["ml.g4dn.xlarge", "ml.m5d.large", "ml.g5.xlarge", "ml.c6gd.large", "ml.p4d.24xlarge"])
def test_key_is_refused_for_instances_with_local_storage(instance: str) -> None:
    (told,) = tell_config({"InstanceType": instance, "InitialInstanceCount": 1}, KmsKeyId="alias/wine")

    assert told.startswith(f"`kms_key`: {instance} has local storage")


def test_key_is_taken_for_instances_with_a_storage_volume() -> None:
    assert tell_config(INSTANCES, KmsKeyId="alias/wine") == []


def test_provisioned_concurrency_is_within_the_largest() -> None:
    variant = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5, "ProvisionedConcurrency": 6}}

    assert tell_config(variant) == [
        "`serverless.provisioned_concurrency`: is 6; it cannot be more than the largest concurrency, 5"
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            {
                "DataCaptureConfig": {
                    "InitialSamplingPercentage": 1,
                    "DestinationS3Uri": "s3://b/c",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "`data_capture`: a serverless endpoint cannot capture data",
        ),
        (
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/c"}}},
            "`asynchronous`: a serverless endpoint cannot be asynchronous",
        ),
        ({"EnableNetworkIsolation": True}, "`network_isolation`: a serverless endpoint cannot be isolated from the network"),
    ],
)
def test_serverless_endpoint_cannot_have_what_instances_can(more: dict[str, object], problem: str) -> None:
    assert tell_config(SERVERLESS, **more) == [problem]
    assert tell_config(INSTANCES, **more) == []


def test_serverless_variant_is_alone() -> None:
    assert tell_config(SERVERLESS, INSTANCES) == [
        "`CreateEndpointConfig.ProductionVariants`: a serverless endpoint has one variant only"
    ]


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (blue_green("ALL_AT_ONCE"), None),
        (blue_green("CANARY", CanarySize=percent(50)), None),
        (blue_green("CANARY", CanarySize=percent(51)), "`rollout.step_percent`: is 51 %; the service takes 1 to 50 %"),
        (blue_green("LINEAR", LinearStepSize=percent(10)), None),
        (blue_green("LINEAR", LinearStepSize=percent(9)), "`rollout.step_percent`: is 9 %; the service takes 10 to 50 %"),
        (rolling(5), None),
        (rolling(4), "`rollout.step_percent`: is 4 %; the service takes 5 to 50 %"),
        (
            blue_green("ALL_AT_ONCE", 300, last=300, limit=600),
            "`rollout.max_seconds`: is 600, and the waits of the rollout are 600 together; it must be more",
        ),
        (blue_green("ALL_AT_ONCE", 300, last=299, limit=600), None),
        (
            blue_green("LINEAR", 400, limit=3600, LinearStepSize=percent(10)),
            "`rollout.max_seconds`: is 3600, and the waits of the rollout are 3600 together; it must be more",
        ),
        (
            rolling(10, wait=360),
            "`rollout.max_seconds`: is 3600, and the waits of the rollout are 3600 together; it must be more",
        ),
        (rolling(10, wait=359), None),
        (blue_green("CANARY", 3599, CanarySize=percent(1)), None),
        (blue_green("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 60}), None),
    ],
)
def test_rollout_is_held_to_its_shares_and_times(config: dict[str, object], problem: str | None) -> None:
    assert tell_update(**config) == ([problem] if problem else [])


def test_rollout_has_the_share_of_its_kind_and_no_other() -> None:
    path = "UpdateEndpoint.DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"

    assert tell_update(**blue_green("CANARY")) == [f"`{path}.CanarySize`: is missing where traffic moves CANARY"]
    assert tell_update(**blue_green("ALL_AT_ONCE", CanarySize=percent(10))) == [
        f"`{path}.CanarySize`: has no meaning where traffic moves ALL_AT_ONCE"
    ]


def test_rollout_is_either_blue_green_or_rolling() -> None:
    assert tell_update(**blue_green("ALL_AT_ONCE"), **rolling(10)) == [
        "`UpdateEndpoint.DeploymentConfig.RollingUpdatePolicy`: cannot be together with BlueGreenUpdatePolicy"
    ]


@pytest.mark.parametrize(
    ("period", "periods", "problem"),
    [
        (60, 1, None),
        (10, 6, None),
        (90, 1, "`alarms.period_seconds`: is 90; the service takes 10, 20, 30 and multiples of 60"),
        (60, 1440, None),
        (60, 1441, "`alarms.periods`: 1441 periods of 60 s are 86460 s together; the service takes 86400 at most"),
        (3600, 168, None),
    ],
)
def test_alarm_looks_at_times_that_the_service_keeps(period: int, periods: int, problem: str | None) -> None:
    alarm = {"AlarmName": "a", "ComparisonOperator": "GreaterThanThreshold", "Period": period, "EvaluationPeriods": periods}

    assert [str(one) for one in check_request("cloudwatch", "PutMetricAlarm", alarm)] == ([problem] if problem else [])


def test_alarm_over_several_metrics_has_the_period_of_each_checked() -> None:
    stat = {"Metric": {"MetricName": "Invocations"}, "Period": 90, "Stat": "Sum"}
    alarm = {
        "AlarmName": "a",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Metrics": [{"Id": "calls", "MetricStat": stat}, {"Id": "share", "Expression": "calls"}],
    }

    assert [str(one) for one in check_request("cloudwatch", "PutMetricAlarm", alarm)] == [
        "`alarms.period_seconds`: is 90; the service takes 10, 20, 30 and multiples of 60"
    ]


def test_scaling_has_a_minimum_below_its_maximum() -> None:
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/wine/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scheduled = {**target, "ScheduledActionName": "night", "ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}}

    (told,) = check_request("application-autoscaling", "RegisterScalableTarget", {**target, "MinCapacity": 3, "MaxCapacity": 2})
    (later,) = check_request("application-autoscaling", "PutScheduledAction", scheduled)

    assert str(told) == "`scaling.minimum`: is 3, which is more than the maximum, 2"
    assert str(later) == "`scaling.schedule.minimum`: is 3, which is more than the maximum, 2"


def test_values_of_a_wrong_type_are_told_once_and_break_no_rule() -> None:
    told = tell_config({"InstanceType": 5, "InitialInstanceCount": "1"}, ShadowProductionVariants="none", Tags=7)

    assert [one.partition(":")[0] for one in told] == [
        "`instance`",
        "`count`",
        "`CreateEndpointConfig.ShadowProductionVariants`",
        "`tags`",
    ]
