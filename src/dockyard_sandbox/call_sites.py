"""Reads off a request which operation it is, on what, by whom: for the call log and for faults.

Owns that reading for every protocol on the port. Must not answer, nor fail: what cannot be read is left empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

from dockyard_sandbox.arns import ACCOUNT, Place, find_place
from dockyard_sandbox.calls import CallSite, Permission
from dockyard_sandbox.cbor import decode_cbor
from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.permissions import find_permissions
from dockyard_sandbox.routes import HttpRequest

_READING = (
    "Describe",
    "List",
    "Get",
    "Head",
    "Invoke",
    "Simulate",
    "Assume",
    "BatchGet",
    "BatchCheck",
    "Filter",
    "Decode",
    "Lookup",
)
_REGISTRY_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs/uploads|blobs|tags)/[^/]*")
_REGISTRY_OPERATIONS = {
    ("HEAD", "blobs"): "BatchCheckLayerAvailability",
    ("GET", "blobs"): "GetDownloadUrlForLayer",
    ("POST", "blobs/uploads"): "InitiateLayerUpload",
    ("PATCH", "blobs/uploads"): "UploadLayerPart",
    ("PUT", "blobs/uploads"): "CompleteLayerUpload",
    ("HEAD", "manifests"): "BatchGetImage",
    ("GET", "manifests"): "BatchGetImage",
    ("PUT", "manifests"): "PutImage",
    ("GET", "tags"): "ListImages",
}
_CBOR_PATH = re.compile(r"/service/[^/]+/operation/(?P<operation>\w+)")
_PREFIXES = {"monitoring": "cloudwatch"}
_S3_BY_QUERY = (
    ("uploads", "POST", "CreateMultipartUpload"),
    ("uploadId", "PUT", "UploadPart"),
    ("uploadId", "POST", "CompleteMultipartUpload"),
    ("uploadId", "DELETE", "AbortMultipartUpload"),
    ("delete", "POST", "DeleteObjects"),
    ("location", "GET", "GetBucketLocation"),
    ("tagging", "PUT", "Put{of}Tagging"),
    ("tagging", "GET", "Get{of}Tagging"),
    ("tagging", "DELETE", "Delete{of}Tagging"),
    ("versioning", "PUT", "PutBucketVersioning"),
    ("encryption", "PUT", "PutBucketEncryption"),
    ("publicAccessBlock", "PUT", "PutPublicAccessBlock"),
    ("policy", "PUT", "PutBucketPolicy"),
)
_S3_OBJECT = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject", "POST": "PostObject"}
_S3_BUCKET = {
    "GET": "ListObjectsV2",
    "HEAD": "HeadBucket",
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
    "POST": "DeleteObjects",
}
_S3_ACTIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "ListBuckets": "ListAllMyBuckets",
}
_ARNS = (
    ("repositoryName", "ecr", "repository/"),
    ("repositoryNames", "ecr", "repository/"),
    ("RoleName", "iam", "role/"),
    ("logGroupName", "logs", "log-group:"),
    ("AlarmName", "cloudwatch", "alarm:"),
    ("AlarmNames", "cloudwatch", "alarm:"),
)
_WHOLE_ARNS = ("RoleArn", "PolicyArn", "TopicArn", "resourceArn", "KeyId")
_RUNTIME = {
    "invocations": "InvokeEndpoint",
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}


def read_call_site(request: HttpRequest, service: str) -> CallSite:
    """What a request for a service (as `routes` names it) is."""
    operation, permissions = _read(request, service)
    return CallSite(
        service="sagemaker" if service == "runtime" else service,
        operation=operation,
        region=request.region,
        principal=_read_principal(request),
        mutating=not operation.startswith(_READING) and request.method != "HEAD",
        permissions=permissions,
    )


def _read(request: HttpRequest, service: str) -> tuple[str, tuple[Permission, ...]]:
    place = find_place(request.region)
    if service == "runtime":
        return _read_runtime(request, place)
    if service == "registry":
        return _read_registry(request, place)
    if service == "s3":
        return _read_s3(request, place)
    target = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if target:
        return _read_json(request, service, target, place)
    cbor = _CBOR_PATH.fullmatch(request.path)
    if cbor:
        return _read_cbor(request, service, cbor["operation"], place)
    return _read_query(request, service, place)


def _read_principal(request: HttpRequest) -> str:
    """The caller's access key, shortened: it tells callers apart, and is of no use to anybody."""
    key = request.scope.access_key if request.scope else ""
    return f"{key[:4]}…{key[-4:]}" if len(key) > 8 else key


def _read_runtime(request: HttpRequest, place: Place) -> tuple[str, tuple[Permission, ...]]:
    _, _, name, kind = request.path.split("/")
    action = _RUNTIME[kind].removesuffix("WithResponseStream")
    return _RUNTIME[kind], (Permission(action=f"sagemaker:{action}", resource=place.name_resource("endpoint", unquote(name))),)


def _read_registry(request: HttpRequest, place: Place) -> tuple[str, tuple[Permission, ...]]:
    found = _REGISTRY_PATH.fullmatch(request.path)
    kind = found["kind"] if found else "base"
    operation = _REGISTRY_OPERATIONS.get((request.method, kind), f"{request.method.capitalize()}{kind.capitalize()}")
    if found is None:
        return operation, ()
    arn = f"arn:{place.partition}:ecr:{place.region}:{ACCOUNT}:repository/{found['name']}"
    return operation, (Permission(action=f"ecr:{operation}", resource=arn),)


def _read_cbor(request: HttpRequest, service: str, operation: str, place: Place) -> tuple[str, tuple[Permission, ...]]:
    try:
        fields = as_fields(decode_cbor(request.body)) if request.body else Fields({})
    except (ValueError, TypeError):
        return operation, ()
    return operation, _find_known(service, operation, fields, place)


def _read_json(request: HttpRequest, service: str, operation: str, place: Place) -> tuple[str, tuple[Permission, ...]]:
    try:
        fields = as_fields(json.loads(request.body or b"{}"))
        if service == "sagemaker":
            return operation, find_permissions(operation, fields, place)
        return operation, _find_known(service, operation, fields, place)
    except (ValueError, TypeError):
        return operation, ()


def _read_query(request: HttpRequest, service: str, place: Place) -> tuple[str, tuple[Permission, ...]]:
    form = {key: values[-1] for key, values in parse_qs(request.body.decode("utf-8", "replace") or request.query).items()}
    operation = form.get("Action", "") or f"{request.method} {request.path}"
    return operation, _find_known(service, operation, Fields(form), place)


def _find_known(service: str, operation: str, request: Fields, place: Place) -> tuple[Permission, ...]:
    found = [str(request[name]) for name in _WHOLE_ARNS if str(request.get(name, "")).startswith("arn:")]
    for member, owner, kind in _ARNS:
        home = "" if owner == "iam" else place.region
        names = request.texts(member) if member.endswith("Names") else [str(request[member])] if member in request else []
        found += [f"arn:{place.partition}:{owner}:{home}:{ACCOUNT}:{kind}{name}" for name in names]
    if service == "logs" and "logStreamName" in request:
        found = [f"{arn}:log-stream:{request['logStreamName']}" for arn in found]
    return tuple(Permission(action=_action(service, operation), resource=arn) for arn in found or ["*"])


def _read_s3(request: HttpRequest, place: Place) -> tuple[str, tuple[Permission, ...]]:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    operation = _name_s3(request, bucket, key)
    arn = f"arn:{place.partition}:s3:::{bucket}/{key}" if key else f"arn:{place.partition}:s3:::{bucket or '*'}"
    return operation, (Permission(action=f"s3:{_S3_ACTIONS.get(operation, operation)}", resource=arn),)


def _name_s3(request: HttpRequest, bucket: str, key: str) -> str:
    if not bucket:
        return "ListBuckets"
    parameters = request.parameters
    for name, method, operation in _S3_BY_QUERY:
        if name in parameters and method == request.method:
            return operation.format(of="Object" if key else "Bucket")
    by_method: Mapping[str, str] = _S3_OBJECT if key else _S3_BUCKET
    return by_method.get(request.method, request.method)


def _action(service: str, operation: str) -> str:
    return f"{_PREFIXES.get(service, service)}:{operation}"
