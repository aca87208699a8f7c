"""Owns the looks at where a deployment goes: the endpoint that is there, the quota for instances, repository, buckets, key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockyard.adapters.sagemaker.errors import is_missing, read_code
from dockyard.adapters.sagemaker.looks import Look, Scene
from dockyard.adapters.sagemaker.policies import read_bucket
from dockyard.domain.finding import Finding, approve, object_to, warn
from dockyard.domain.sagemaker import Instances, Serverless, derive_repository_name

_MODEL_DATA = "bucket"
_TO_BE_REPLACED = frozenset({"Failed", "Deleting"})
_USABLE_KEYS = frozenset({"Enabled", "Updating"})


def _see_quota(scene: Scene) -> Iterator[Finding]:
    capacity = scene.settings.capacity
    if not isinstance(capacity, Instances):
        return
    kind = capacity.instance_type
    name, quota = f"{kind} for endpoint usage", _find_quota(scene, f"{kind} for endpoint usage")
    remedy = f"ask for more in the console: Service Quotas, Amazon SageMaker, `{name}`"
    if quota is None:
        yield warn(
            "quota", f"there is no quota `{name}` in {scene.account.region}", "is there such an instance in this region?"
        )
    elif quota < capacity.count:
        message = (
            f"the account may run {quota:.0f} x {kind} for endpoints in {scene.account.region}; this takes {capacity.count}"
        )
        yield object_to("quota", message, remedy)
    elif quota < 2 * capacity.count:
        message = f"the account may run {quota:.0f} x {kind} for endpoints; an update takes {2 * capacity.count} while it lasts"
        yield warn("quota", message, f"{remedy}; or roll updates: `rollout.kind: rolling`")
    else:
        yield approve("quota", f"the account may run {quota:.0f} x {kind} for endpoints, those that run already included")


def _find_quota(scene: Scene, name: str) -> float | None:
    pages = scene.clients.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    values = (float(one["Value"]) for page in pages for one in page["Quotas"] if one["QuotaName"] == name)
    return next(values, None)


def _see_repository(scene: Scene) -> Iterator[Finding]:
    name = derive_repository_name(scene.endpoint)
    try:
        found = scene.clients.client("ecr").describe_repositories(repositoryNames=[name])["repositories"][0]
    except Exception as error:
        if read_code(error) != "RepositoryNotFoundException":
            raise
        yield approve("image-repository", f"the image repository {name} will be made with the deployment")
        return
    yield approve("image-repository", f"the image repository {found['repositoryUri']} is there")


def _see_buckets(scene: Scene) -> Iterator[Finding]:
    for setting, uri in _list_uris(scene):
        yield _judge_bucket(scene, setting, read_bucket(uri))


def _list_uris(scene: Scene) -> Iterator[tuple[str, str]]:
    settings = scene.settings
    waiting, capture = settings.asynchronous, settings.data_capture
    found = (
        (_MODEL_DATA, settings.bucket),
        ("asynchronous.output", waiting.output if waiting else None),
        ("asynchronous.failures", waiting.failures if waiting else None),
        ("data_capture.destination", capture.destination if capture else None),
    )
    yield from ((setting, uri) for setting, uri in found if uri)


def _judge_bucket(scene: Scene, setting: str, bucket: str) -> Finding:
    try:
        answer = scene.clients.client("s3").head_bucket(Bucket=bucket)
    except Exception as error:
        if read_code(error) not in {"404", "NoSuchBucket"}:
            raise
        return object_to("bucket", f"there is no bucket {bucket} (`{setting}`)", "make it, or name another")
    region = _read_region(answer)
    if region and region != scene.account.region:
        message = f"bucket {bucket} (`{setting}`) is in {region}, and the endpoint will be in {scene.account.region}"
        tell = object_to if setting == _MODEL_DATA else warn
        return tell("bucket", message, "SageMaker takes buckets of the endpoint's own region; name one there")
    return approve("bucket", f"bucket {bucket} (`{setting}`) is there, in {region or scene.account.region}")


def _read_region(answer: Any) -> str | None:  # noqa: ANN401  an answer of boto3
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = answer.get("BucketRegion") or headers.get("x-amz-bucket-region")
    return str(region) if region else None


def _see_key(scene: Scene) -> Iterator[Finding]:
    key = scene.settings.kms_key
    if key is None:
        return
    try:
        found = scene.clients.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    except Exception as error:
        if read_code(error) != "NotFoundException":
            raise
        message = f"there is no key {key} in {scene.account.region}"
        yield object_to("kms-key", message, "name a key of the endpoint's account and region")
        return
    yield _judge_key(key, found)


def _judge_key(key: str, found: Any) -> Finding:  # noqa: ANN401  an answer of boto3
    if found["KeyState"] not in _USABLE_KEYS:
        return object_to("kms-key", f"key {key} is {found['KeyState']}", "enable it, or name another")
    if found.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        return object_to("kms-key", f"key {key} is {found['KeySpec']}; SageMaker takes symmetric keys only", "name another")
    return approve("kms-key", f"key {key} is enabled")


def _see_endpoint(scene: Scene) -> Iterator[Finding]:
    """The way from instances to serverless is closed: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html"""
    if not isinstance(scene.settings.capacity, Serverless):
        return
    try:
        found = scene.clients.client("sagemaker").describe_endpoint(EndpointName=scene.endpoint)
    except Exception as error:
        if not is_missing(error):
            raise
        return
    has_instances = any("CurrentServerlessConfig" not in one for one in found.get("ProductionVariants", []))
    if has_instances and found.get("EndpointStatus") not in _TO_BE_REPLACED:
        message = f"endpoint {scene.endpoint} has instances, and the service never makes such a one serverless"
        yield object_to("endpoint", message, "deploy it under another name (`--name`), or delete this deployment first")


PLACE_LOOKS = (
    Look(code="endpoint", what="the endpoint", action="sagemaker:DescribeEndpoint", see=_see_endpoint),
    Look(code="quota", what="the quota for instances", action="servicequotas:ListServiceQuotas", see=_see_quota),
    Look(code="image-repository", what="the image repository", action="ecr:DescribeRepositories", see=_see_repository),
    Look(code="bucket", what="a bucket", action="s3:ListBucket", see=_see_buckets),
    Look(code="kms-key", what="the key", action="kms:DescribeKey", see=_see_key),
)
