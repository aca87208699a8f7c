"""A service in Smithy's RPC v2 in CBOR, by way of one that speaks JSON only: moto's CloudWatch, for the SDK for Go and others.

Owns the translation of requests, answers and errors. Must not answer itself. boto3 asks CloudWatch in JSON, and passes through.
https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import cast

from botocore.session import Session
from botocore.utils import parse_timestamp

from dockyard_sandbox.cbor import decode_cbor, encode_cbor
from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.fields import as_fields
from dockyard_sandbox.protocol import CBOR_HEADERS, answer_error
from dockyard_sandbox.routes import HttpRequest, HttpResponse, Service
from dockyard_sandbox.shapes import Shape

_PATH = re.compile(r"/service/(?P<service>\w+)/operation/(?P<operation>\w+)")
_REPLACED = frozenset({"accept", "content-length", "content-type", "smithy-protocol"})


class CborBridge:
    """The service that is signed for as `signed`, and that botocore calls `name`; `others` answers in JSON."""

    def __init__(self, others: Service, *, signed: str = "monitoring", name: str = "cloudwatch") -> None:
        self._others = others
        self._signed = signed
        self._model = Session().get_service_model(name)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Translate a call in CBOR; pass any other on."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return self._others.answer(request)
        if found["operation"] not in self._model.operation_names:
            error = ApiError("UnknownOperationException", f"There is no operation {found['operation']}.")
            return answer_error(error, request, self._signed)
        answer = self._others.answer(_ask_in_json(request, f"{found['service']}.{found['operation']}"))
        told = json.loads(answer.body or b"{}")
        if answer.status >= 300:
            return self._refuse(request, answer.status, told)
        shape = self._model.operation_model(found["operation"]).output_shape
        passed = {name: value for name, value in answer.headers.items() if name.lower() not in _REPLACED}
        body = encode_cbor(to_values(shape, told) if shape else {})
        return HttpResponse(status=answer.status, headers={**passed, **CBOR_HEADERS}, body=body)

    def _refuse(self, request: HttpRequest, status: int, told: object) -> HttpResponse:
        fields = as_fields(told)
        code = fields.text("__type").rpartition("#")[2]
        error = ApiError(code, fields.text("message") or fields.text("Message"), status=status)
        return answer_error(error, request, self._signed)


def _ask_in_json(request: HttpRequest, target: str) -> HttpRequest:
    kept = {name: value for name, value in request.headers.items() if name not in _REPLACED}
    body = decode_cbor(request.body) if request.body else {}
    return HttpRequest(
        method="POST",
        path="/",
        headers={**kept, "content-type": "application/x-amz-json-1.0", "x-amz-target": target},
        body=json.dumps(body, default=_encode_blob).encode(),
    )


def _encode_blob(value: object) -> str:
    return base64.b64encode(cast("bytes", value)).decode()


def to_values(shape: Shape, value: object) -> object:
    """A JSON value as what CBOR has: times, floats and bytes are of their own kinds there. What is null is left out."""
    if shape.type_name == "structure":
        members = cast("Mapping[str, Shape]", shape.members)  # type: ignore[attr-defined]  # of structures
        told = cast("Mapping[str, object]", value)
        return {name: to_values(members[name], one) for name, one in told.items() if name in members and one is not None}
    if shape.type_name == "list":
        return [to_values(shape.member, one) for one in cast("list[object]", value)]  # type: ignore[attr-defined]
    if shape.type_name == "map":
        entries = cast("Mapping[str, object]", value).items()
        return {key: to_values(shape.value, one) for key, one in entries}  # type: ignore[attr-defined]
    return _to_scalar(shape.type_name, value)


def _to_scalar(kind: str, value: object) -> object:
    if kind == "timestamp":
        return parse_timestamp(value)
    if kind in {"double", "float"}:
        return float(cast("float", value))
    if kind == "blob":
        return base64.b64decode(cast("str", value))
    return value
