"""Quota, repository, buckets and key are there, and where the endpoint will be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dockyard.domain.finding import Severity
from dockyard.domain.sagemaker import (
    AsyncInference,
    Instances,
    SageMakerSettings,
    Serverless,
)
from dockyard.domain.sagemaker_capture import DataCapture
from support.fake_aws import refuse
from support.ready_account import (
    ROLE,
    SETTINGS,
    find,
    find_one,
    quotas,
)

FAR = {"head_bucket": {"BucketRegion": "us-east-1"}}


@pytest.mark.parametrize(
    ("pages", "count", "severity", "told"),
    [
        (quotas(20), 10, Severity.OK, "the account may run 20 x ml.m5.large for endpoints, those that run already included"),
        (quotas(3), 2, Severity.WARNING, "the account may run 3 x ml.m5.large for endpoints; an update takes 4 while it lasts"),
        (quotas(0), 1, Severity.ERROR, "the account may run 0 x ml.m5.large for endpoints in eu-west-1; this takes 1"),
        (quotas(5, "other"), 1, Severity.WARNING, "there is no quota `ml.m5.large for endpoint usage` in eu-west-1"),
        (refuse("AccessDeniedException"), 1, Severity.WARNING, "the quota for instances may not be looked at"),
    ],
)
def test_quota_covers_the_instances_and_an_update_of_them(
    tmp_path: Path, pages: object, count: int, severity: Severity, told: str
) -> None:
    settings = SageMakerSettings(role=ROLE, capacity=Instances(count=count))

    found = find_one(tmp_path, "quota", settings, service_quotas={"list_service_quotas": pages})

    assert (found.severity, found.message) == (severity, told)


def test_serverless_endpoint_has_no_quota_of_instances(tmp_path: Path) -> None:
    settings = SageMakerSettings(role=ROLE, capacity=Serverless(memory_mb=2048, max_concurrency=5))

    assert find(tmp_path, "quota", settings) == []
    assert find_one(tmp_path, "capacity", settings).message == (
        "serverless, 2048 MB, at most 5 at a time: runs linux/amd64 images, takes requests of 4 MB at most"
    )


@pytest.mark.parametrize(
    ("variants", "severities"),
    [
        ([{"VariantName": "AllTraffic", "CurrentInstanceCount": 1}], [Severity.ERROR]),
        ([{"VariantName": "AllTraffic", "CurrentServerlessConfig": {"MemorySizeInMB": 2048}}], []),
    ],
)
def test_endpoint_with_instances_cannot_become_serverless(
    tmp_path: Path, variants: list[object], severities: list[Severity]
) -> None:
    serverless = SageMakerSettings(role=ROLE, capacity=Serverless(memory_mb=2048, max_concurrency=5))
    there = {"describe_endpoint": {"ProductionVariants": variants}}

    assert [one.severity for one in find(tmp_path, "endpoint", serverless, sagemaker=there)] == severities
    assert find(tmp_path, "endpoint", SETTINGS, sagemaker=there) == []
    failed = {"describe_endpoint": {"ProductionVariants": variants, "EndpointStatus": "Failed"}}
    assert find(tmp_path, "endpoint", serverless, sagemaker=failed) == []
    assert find(tmp_path, "endpoint", serverless) == []
    (hidden,) = find(tmp_path, "endpoint", serverless, sagemaker={"describe_endpoint": refuse("AccessDeniedException")})
    assert hidden.severity is Severity.WARNING


def test_repository_is_there_or_will_be_made(tmp_path: Path) -> None:
    there = {"describe_repositories": {"repositories": [{"repositoryUri": "host/dockyard/wine"}]}}

    assert find_one(tmp_path, "image-repository", ecr=there).message == "the image repository host/dockyard/wine is there"
    assert find_one(tmp_path, "image-repository").message.endswith("dockyard/wine will be made with the deployment")
    assert find_one(tmp_path, "image-repository", ecr={"describe_repositories": refuse("X")}).severity is Severity.WARNING


def test_every_bucket_is_in_the_region_of_the_endpoint(tmp_path: Path) -> None:
    settings = SageMakerSettings(
        role=ROLE,
        bucket="s3://near/models",
        asynchronous=AsyncInference(output="s3://far/answers", failures="s3://gone/failures"),
        data_capture=DataCapture(destination="s3://hidden"),
    )
    assert find_one(tmp_path, "bucket", SageMakerSettings(role=ROLE, bucket="s3://far"), s3=FAR).severity is Severity.ERROR
    answers: Mapping[str, Any] = {
        "near": {"BucketRegion": "eu-west-1"},
        "far": {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "us-east-1"}}},
        "gone": refuse("404"),
        "hidden": refuse("403"),
    }

    def head(Bucket: str) -> object:  # noqa: N803  as boto3 names it
        answer = answers[Bucket]
        if isinstance(answer, Exception):
            raise answer
        return answer

    found = find(tmp_path, "bucket", settings, s3={"head_bucket": head})

    assert [(one.severity, one.message) for one in found] == [
        (Severity.OK, "bucket near (`bucket`) is there, in eu-west-1"),
        (Severity.WARNING, "bucket far (`asynchronous.output`) is in us-east-1, and the endpoint will be in eu-west-1"),
        (Severity.ERROR, "there is no bucket gone (`asynchronous.failures`)"),
        (Severity.WARNING, "a bucket may not be looked at"),
    ]


@pytest.mark.parametrize(
    ("answer", "severity", "told"),
    [
        ({"KeyMetadata": {"KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT"}}, Severity.OK, "key alias/wine is enabled"),
        ({"KeyMetadata": {"KeyState": "PendingDeletion"}}, Severity.ERROR, "key alias/wine is PendingDeletion"),
        (
            {"KeyMetadata": {"KeyState": "Enabled", "KeySpec": "RSA_2048"}},
            Severity.ERROR,
            "key alias/wine is RSA_2048; SageMaker takes symmetric keys only",
        ),
        (refuse("NotFoundException"), Severity.ERROR, "there is no key alias/wine in eu-west-1"),
        (refuse("AccessDeniedException"), Severity.WARNING, "the key may not be looked at"),
    ],
)
def test_key_can_be_used(tmp_path: Path, answer: object, severity: Severity, told: str) -> None:
    settings = SageMakerSettings(role=ROLE, kms_key="alias/wine")

    found = find_one(tmp_path, "kms-key", settings, kms={"describe_key": answer})

    assert (found.severity, found.message) == (severity, told)
