"""The little of HTTP over ASGI that the scorer needs.

Owns reading a request and writing a response. Knows no route and no model.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dockyard_scorer.errors import ScorerError

Message: TypeAlias = MutableMapping[str, Any]  # ASGI's own types: a message is a dictionary of many shapes
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

JSON_TYPE = "application/json"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_LINGER_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The head of a request."""

    method: str
    path: str
    headers: Mapping[str, str]
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole response."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    """Of the error, if it is one; for log and metrics."""
    where: str = ""
    """Where the error came from; for the log only."""


def read_request(scope: Scope) -> Request:
    """The head of the request in `scope`. A repeated header counts with its last value."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in _headers(scope)}
    wanted_id = headers.get("x-request-id", "")
    return Request(
        method=scope["method"],
        path=scope["path"],
        headers=headers,
        request_id=wanted_id if _REQUEST_ID.fullmatch(wanted_id) else uuid.uuid4().hex,
    )


def json_response(status: int, content: object) -> Response:
    """`content` as JSON."""
    return Response(status=status, body=json.dumps(content).encode() + b"\n")


def error_response(error: ScorerError) -> Response:
    """The answer for `error`."""
    body = json.dumps({"error_code": error.code, "message": error.message}).encode() + b"\n"
    return Response(status=error.status, body=body, code=error.code, where=error.where)


async def read_body(request: Request, receive: Receive, limit: int) -> bytes:
    """The body, of at most `limit` bytes. Raises ScorerError; reads no further than it must to know."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in _chunks(receive):
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def send_response(send: Send, response: Response, *, linger: Receive | None = None) -> None:
    """Write `response`. With `linger`, read on from there for a moment before the connection closes.

    A client that is still sending would otherwise meet a reset connection and never see the answer.
    """
    headers = {
        "content-type": response.content_type,
        "content-length": str(len(response.body)),
        **response.headers,
    }
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body, "more_body": linger is not None})
    if linger is not None:
        with suppress(asyncio.TimeoutError, ScorerError):
            await asyncio.wait_for(_exhaust(linger), _LINGER_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _exhaust(receive: Receive) -> None:
    async for _ in _chunks(receive):
        continue


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ScorerError("client-gone", "The client went away before its request was whole.")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _headers(scope: Scope) -> Iterable[tuple[bytes, bytes]]:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return headers


def _too_large(limit: int) -> ScorerError:
    return ScorerError("body-too-large", f"The body is larger than {limit} bytes.")
