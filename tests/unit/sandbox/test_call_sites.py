"""Calls are read off requests in every protocol on the port: service, operation, action, resource, caller."""

from __future__ import annotations

import pytest

from dockyard_sandbox.call_sites import read_call_site
from dockyard_sandbox.calls import Permission
from dockyard_sandbox.routes import HttpRequest, find_service_name

PRESIGNED = "X-Amz-Credential=KEY%2F20260101%2Fx%2Fs3%2Faws4_request"  # not a secret: it signs nothing
ROLE = "arn:aws:iam::123456789012:role/r"


def sign(service: str, region: str = "eu-west-1") -> str:
    return f"AWS4-HMAC-SHA256 Credential=AKIATESTTEST1234/20260101/{region}/{service}/aws4_request, Signature=0"


def make_json(target: str, body: bytes, service: str = "sagemaker") -> HttpRequest:
    headers = {"x-amz-target": target, "authorization": sign(service)}
    return HttpRequest(method="POST", path="/", headers=headers, body=body)


@pytest.mark.parametrize(
    ("request_", "service"),
    [
        (make_json("SageMaker.ListModels", b"{}"), "sagemaker"),
        (HttpRequest(method="POST", path="/endpoints/e/invocations", headers={"authorization": sign("sagemaker")}), "runtime"),
        (
            HttpRequest(method="POST", path="/endpoints/e/async-invocations", headers={"authorization": sign("sagemaker")}),
            "runtime",
        ),
        (HttpRequest(method="GET", path="/v2/"), "registry"),
        (HttpRequest(method="GET", path="/_sandbox/calls"), "admin"),
        (HttpRequest(method="GET", path="/"), "page"),
        (HttpRequest(method="GET", path="/b/k", query=PRESIGNED), "s3"),
        (HttpRequest(method="GET", path="/b/k"), "other"),
    ],
)
def test_service_is_told_by_path_and_signature(request_: HttpRequest, service: str) -> None:
    assert find_service_name(request_) == service


def test_create_endpoint_needs_both_resources_and_tagging() -> None:
    body = b'{"EndpointName": "E", "EndpointConfigName": "c", "Tags": [{"Key": "k", "Value": "v"}]}'
    site = read_call_site(make_json("SageMaker.CreateEndpoint", body), "sagemaker")
    prefix = "arn:aws:sagemaker:eu-west-1:123456789012:"
    assert site.permissions == (
        Permission(action="sagemaker:CreateEndpoint", resource=f"{prefix}endpoint/e"),
        Permission(action="sagemaker:CreateEndpoint", resource=f"{prefix}endpoint-config/c"),
        Permission(action="sagemaker:AddTags", resource=f"{prefix}endpoint/e"),
    )
    assert site.mutating


def test_create_model_passes_a_role() -> None:
    site = read_call_site(
        make_json("SageMaker.CreateModel", f'{{"ModelName": "m", "ExecutionRoleArn": "{ROLE}"}}'.encode()), "sagemaker"
    )
    assert Permission(action="iam:PassRole", resource=ROLE) in site.permissions


@pytest.mark.parametrize("operation", ["DescribeModel", "ListModels", "ListTags"])
def test_reading_calls_are_not_mutating(operation: str) -> None:
    assert not read_call_site(make_json(f"SageMaker.{operation}", b"{}"), "sagemaker").mutating


def test_lists_are_of_everything() -> None:
    site = read_call_site(make_json("SageMaker.ListEndpoints", b"{}"), "sagemaker")
    assert site.resources == ("*",)


def test_invocation_is_of_its_endpoint_and_changes_nothing() -> None:
    request = HttpRequest(method="POST", path="/endpoints/E/async-invocations", headers={"authorization": sign("sagemaker")})
    site = read_call_site(request, "runtime")
    assert (site.service, site.operation, site.mutating) == ("sagemaker", "InvokeEndpointAsync", False)
    assert site.resources == ("arn:aws:sagemaker:eu-west-1:123456789012:endpoint/e",)


def test_body_that_is_no_json_leaves_resources_empty() -> None:
    assert read_call_site(make_json("SageMaker.CreateModel", b"{"), "sagemaker").resources == ()


@pytest.mark.parametrize(
    ("method", "path", "query", "operation", "action"),
    [
        ("PUT", "/b/k/x", "", "PutObject", "s3:PutObject"),
        ("PUT", "/b/k/x", "partNumber=1&uploadId=u", "UploadPart", "s3:PutObject"),
        ("POST", "/b/k/x", "uploads", "CreateMultipartUpload", "s3:PutObject"),
        ("GET", "/b", "list-type=2&prefix=p", "ListObjectsV2", "s3:ListBucket"),
        ("PUT", "/b/k", "tagging", "PutObjectTagging", "s3:PutObjectTagging"),
        ("PUT", "/b", "tagging", "PutBucketTagging", "s3:PutBucketTagging"),
        ("GET", "/b", "location", "GetBucketLocation", "s3:GetBucketLocation"),
        ("GET", "/", "", "ListBuckets", "s3:ListAllMyBuckets"),
        ("DELETE", "/b/k", "", "DeleteObject", "s3:DeleteObject"),
    ],
)
def test_s3_operations_are_told_by_method_path_and_query(
    method: str, path: str, query: str, operation: str, action: str
) -> None:
    request = HttpRequest(method=method, path=path, query=query, headers={"authorization": sign("s3")})
    site = read_call_site(request, "s3")
    assert (site.operation, site.permissions[0].action) == (operation, action)


def test_caller_is_told_apart_but_not_named() -> None:
    site = read_call_site(make_json("SageMaker.ListModels", b"{}"), "sagemaker")
    assert site.principal == "AKIA…1234"


def test_registry_calls_are_named_by_verb_and_kind() -> None:
    site = read_call_site(HttpRequest(method="PUT", path="/v2/a/b/manifests/v1"), "registry")
    assert (site.operation, site.mutating) == ("PutImage", True)


def test_cbor_that_is_damaged_leaves_resources_empty() -> None:
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"
    request = HttpRequest(method="POST", path=path, headers={"authorization": sign("monitoring")}, body=b"\xbf")
    site = read_call_site(request, "monitoring")
    assert (site.operation, site.resources, site.mutating) == ("PutMetricAlarm", (), True)


def test_alarm_is_named_by_its_cbor() -> None:
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"
    body = b"\xa1\x69AlarmName\x61a"
    site = read_call_site(
        HttpRequest(method="POST", path=path, headers={"authorization": sign("monitoring")}, body=body), "monitoring"
    )
    (permission,) = site.permissions
    assert permission == Permission(
        action="cloudwatch:PutMetricAlarm", resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a"
    )


def test_log_stream_is_named_within_its_group() -> None:
    body = b'{"logGroupName": "/g", "logStreamName": "A/i-1"}'
    site = read_call_site(make_json("Logs_20140328.GetLogEvents", body, "logs"), "logs")
    assert site.resources == ("arn:aws:logs:eu-west-1:123456789012:log-group:/g:log-stream:A/i-1",)
