"""The seam between the one HTTP server and the services behind it.

Owns what a request and an answer are, and which service a request is for. Must not read sockets, nor know what a service does.

The parts plug in as `Service`s, one for each name below; `server.py` writes faults and the call log around every one of them:

    runtime     /endpoints/<name>/invocations and /endpoints/<name>/async-invocations
    ecr         control calls signed for `ecr`
    registry    /v2/…, whose bodies are streams, both ways
    page        / and /_sandbox/page
    <signing name of an AWS service>  exactly that service, e.g. `servicequotas`, `pricing`
    other       everything else: what moto answers
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol
from urllib.parse import parse_qsl

from dockyard_sandbox.fields import Fields, as_fields

DEFAULT_REGION = "us-east-1"
_CREDENTIAL = re.compile(r"(?P<key>[^/\s=,]+)/(?P<date>\d{8})/(?P<region>[^/\s]+)/(?P<service>[^/\s]+)/aws4_request")
_INVOCATIONS = re.compile(r"/endpoints/[^/]+/(invocations|async-invocations|invocations-response-stream)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a SigV4 signature says of its caller."""

    access_key: str = field(repr=False)
    region: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request. The names of headers are lower case. `path` is as sent, without the query and not unquoted."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    stream: BinaryIO = field(default_factory=io.BytesIO, repr=False)
    """For `/v2/…` only: the body, not yet read (chunked encoding is undone); `body` is empty then."""

    @property
    def parameters(self) -> dict[str, str]:
        """The query, decoded; the last one counts where a name is repeated."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def scope(self) -> Scope | None:
        """Who signed it for which region and service: in the Authorization header or in a presigned query."""
        signed = self.headers.get("authorization", "") or self.parameters.get("X-Amz-Credential", "")
        found = _CREDENTIAL.search(signed)
        if found is None:
            return None
        return Scope(access_key=found["key"], region=found["region"], service=found["service"])

    @property
    def region(self) -> str:
        """The region that it is signed for."""
        return self.scope.region if self.scope else DEFAULT_REGION


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer. `chunks` is for long ones: sent as they come, chunked unless a Content-Length is among the headers."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: Iterable[bytes] | None = field(default=None, repr=False)


class Service(Protocol):
    """Something that answers requests, from many threads at once."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The answer. An exception is a defect: the server answers 500 and tells the events."""
        ...


def find_service_name(request: HttpRequest) -> str:
    """Which service a request is for: one of this module's names, `admin`, or the signing name of an AWS service."""
    path = request.path
    if path in {"/", "/_sandbox/page"} and request.method == "GET" and request.scope is None:
        return "page"
    if path.startswith("/_sandbox"):
        return "admin"
    if path.startswith("/v2/") and request.scope is None:
        return "registry"
    service = request.scope.service if request.scope else ""
    if service == "sagemaker" and _INVOCATIONS.fullmatch(path):
        return "runtime"
    if not service and request.headers.get("x-amz-target", "").startswith("SageMaker."):
        return "sagemaker"
    return service or "other"


def answer_json(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A JSON answer."""
    content = json.dumps(body, default=str).encode()
    return HttpResponse(status=status, headers={"Content-Type": "application/json", **(headers or {})}, body=content)


def read_json(request: HttpRequest) -> Fields:
    """The JSON object in a body; an empty body is an empty object. Raises ValueError."""
    try:
        return as_fields(json.loads(request.body or b"{}"))
    except TypeError as error:
        raise ValueError(str(error)) from error
