"""The AWS services that moto stands in for: requests go to it and answers come back, byte for byte.

Owns the way there. Must not interpret what is said: where moto is wrong, a service of our own answers instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from types import MappingProxyType

from dockyard_sandbox.protocol import make_request_id
from dockyard_sandbox.routes import HttpRequest, HttpResponse, answer_json

_SECONDS = 300.0
_BETWEEN_NEIGHBOURS = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
    }
)
_S3_REQUEST_ID = "x-amz-request-id"  # S3's own name for it, under which SDKs look; moto uses the one of other services
_OURS_TO_SAY = _BETWEEN_NEIGHBOURS - {"content-length"} | {"server", "date"}


class Neighbours:
    """The service `other`. `address` is where moto listens; `before` is called with the region before a service is asked."""

    def __init__(self, address: Callable[[], str], before: Mapping[str, Callable[[str], None]] = MappingProxyType({})) -> None:
        self._address = address
        self._before = before

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Pass a request on."""
        service = request.scope.service if request.scope else ""
        prepare = self._before.get(service)
        if prepare is not None:
            prepare(request.region)
        connection = HTTPConnection(self._address(), timeout=_SECONDS)
        try:
            return _exchange(connection, request)
        except (OSError, HTTPException) as error:
            reason = f"moto, which stands in for {service or 'this service'}, does not answer: {error}"
            return answer_json({"__type": "ServiceUnavailableException", "message": reason}, status=503)
        finally:
            connection.close()


def _exchange(connection: HTTPConnection, request: HttpRequest) -> HttpResponse:
    target = f"{request.path}?{request.query}" if request.query else request.path
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        if name not in _BETWEEN_NEIGHBOURS:
            connection.putheader(name, value)
    connection.putheader("content-length", str(len(request.body)))
    connection.endheaders(request.body or None)
    answer = connection.getresponse()
    headers = {name: value for name, value in answer.getheaders() if name.lower() not in _OURS_TO_SAY}
    if request.scope is not None and request.scope.service == "s3":
        headers.setdefault(_S3_REQUEST_ID, make_request_id())
    return HttpResponse(status=answer.status, headers=headers, body=answer.read())
