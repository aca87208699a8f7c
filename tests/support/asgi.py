"""Calls an ASGI application in this process, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  JSON
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. `body` comes in as many messages as it has items; `leaves` breaks off after them."""

    method: str = "POST"
    path: str = "/invocations"
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    body: Iterable[bytes] = ()
    leaves: bool = False


def call(app: App, request: Call) -> Answer:
    """The application's answer, from an event loop of its own."""
    return asyncio.run(call_async(app, request))


async def call_async(app: App, request: Call) -> Answer:
    """The application's answer."""
    chunks = list(request.body)
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Message:
        await asyncio.sleep(0)
        if chunks:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks) or request.leaves}
        if request.leaves:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    scope = {"type": "http", "method": request.method, "path": request.path, "headers": headers}
    await app(scope, receive, send)
    return _read(sent)


def _read(sent: list[Mapping[str, Any]]) -> Answer:
    head, *parts = sent
    assert not parts[-1]["more_body"]
    headers = {name.decode(): value.decode() for name, value in head["headers"]}
    return Answer(status=head["status"], headers=headers, body=b"".join(part["body"] for part in parts))
