"""AWS's JSON 1.1 protocol, and what errors look like in the other protocols on this port.

Owns reading operations off requests and writing answers. Must not know operations.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from html import escape

from dockyard_sandbox.cbor import encode_cbor
from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.routes import HttpRequest, HttpResponse

JSON_TYPE = "application/x-amz-json-1.1"
CBOR_HEADERS: Mapping[str, str] = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
_QUERY_SERVICES = frozenset({"sts", "iam", "sns", "ec2"})


def read_target(request: HttpRequest) -> str:
    """The operation that X-Amz-Target names, such as `CreateModel`. Empty where there is none."""
    return request.headers.get("x-amz-target", "").rpartition(".")[2]


def read_body(request: HttpRequest) -> Fields:
    """The JSON object in the body. Raises ApiError: SerializationException."""
    try:
        return as_fields(json.loads(request.body or b"{}"))
    except (ValueError, TypeError) as error:
        raise ApiError("SerializationException", "The request's body is not a JSON object.") from error


def answer_operation(body: Mapping[str, object]) -> HttpResponse:
    """An operation's answer."""
    content = json.dumps(body, default=_encode).encode()
    return HttpResponse(headers={"Content-Type": JSON_TYPE, "x-amzn-RequestId": make_request_id()}, body=content)


def answer_error(error: ApiError, request: HttpRequest, service: str) -> HttpResponse:
    """An error, in the protocol that the request is in."""
    request_id = make_request_id()
    if "rpc-v2-cbor" in request.headers.get("smithy-protocol", ""):
        return _answer_cbor(error, request_id)
    if service == "s3":
        return _answer_s3(error, request_id)
    if service == "registry":
        return _answer_registry(error)
    if service in _QUERY_SERVICES or "form-urlencoded" in request.headers.get("content-type", ""):
        return _answer_query(error, request_id)
    content = json.dumps({"__type": error.code, "message": error.message}).encode()
    headers = {"Content-Type": JSON_TYPE, "x-amzn-RequestId": request_id, "x-amzn-ErrorType": error.code}
    return HttpResponse(status=error.status, headers=headers, body=content)


def make_request_id() -> str:
    """A new request id."""
    return str(uuid.uuid4())


def _answer_s3(error: ApiError, request_id: str) -> HttpResponse:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message><RequestId>{request_id}</RequestId></Error>"
    )
    headers = {"Content-Type": "application/xml", "x-amz-request-id": request_id}
    return HttpResponse(status=error.status, headers=headers, body=body.encode())


def _answer_registry(error: ApiError) -> HttpResponse:
    """https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes"""
    status = 403 if error.code.startswith("AccessDenied") else max(error.status, 429 if "Throttling" in error.code else 0)
    body = {"errors": [{"code": "DENIED" if status == 403 else "UNKNOWN", "message": error.message}]}
    return HttpResponse(status=status, headers={"Content-Type": "application/json"}, body=json.dumps(body).encode())


def _answer_query(error: ApiError, request_id: str) -> HttpResponse:
    kind = "Sender" if error.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return HttpResponse(
        status=error.status, headers={"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body=body.encode()
    )


def _answer_cbor(error: ApiError, request_id: str) -> HttpResponse:
    """https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html"""
    fault = "Sender" if error.status < 500 else "Receiver"
    headers = {**CBOR_HEADERS, "x-amzn-RequestId": request_id, "x-amzn-query-error": f"{error.code};{fault}"}
    body = encode_cbor({"__type": error.code, "message": error.message})
    return HttpResponse(status=error.status, headers=headers, body=body)


def _encode(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
