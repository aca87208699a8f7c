"""Owns one exchange: an ASGI request goes to a revision, its answer comes back, both streamed, neither kept whole.

Must not choose the revision. What is said between neighbours only (RFC 9110, 7.6.1) is not passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any, TypeAlias

import h11

from dockyard.adapters.local.upstream import Upstream, UpstreamBrokenError

Message: TypeAlias = MutableMapping[str, Any]  # ASGI's own types: a message is a dictionary of many shapes
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

_BETWEEN_NEIGHBOURS = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    )
)
_CONTINUE_SECONDS = 1.0


class Exchange:
    """One request and its answer."""

    def __init__(self, upstream: Upstream, scope: Message, receive: Receive, send: Send) -> None:
        self._upstream = upstream
        self._scope = scope
        self._receive = receive
        self._send = send
        self._may_send_body = asyncio.Event()

    async def run(self) -> None:
        """Carry it through. Raises UpstreamBrokenError only if nothing of an answer has been passed on yet.

        An answer that breaks off later is left unfinished, so that the server closes the client's connection on it.
        """
        try:
            await self._upstream.send(request_head(self._scope))
        except OSError as error:
            raise UpstreamBrokenError(str(error)) from error
        request = asyncio.create_task(self._pass_request())
        try:
            await self._pass_answer()
        finally:
            request.cancel()
            await asyncio.wait((request,))

    async def _pass_request(self) -> None:
        """Send the body, then watch for a client that goes away: nobody needs the answer any more."""
        await self._wait_for_continue()
        is_wanted = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._upstream.abort()
                return
            is_wanted = is_wanted and await self._pass_part(message)

    async def _pass_part(self, message: Message) -> bool:
        """Send a part of the body; False when the revision takes no more: its answer tells why."""
        try:
            await self._upstream.send(h11.Data(data=message.get("body", b"")))
            if not message.get("more_body", False):
                await self._upstream.send(h11.EndOfMessage())
        except (OSError, h11.LocalProtocolError):
            return False
        return True

    async def _wait_for_continue(self) -> None:
        # Asking the server for the body makes it send its own "100 Continue" to the client.
        if any(name == b"expect" for name, _ in self._scope["headers"]):
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._may_send_body.wait(), _CONTINUE_SECONDS)

    async def _pass_answer(self) -> None:
        head = await self._receive_head()
        headers = end_to_end(head.headers)
        await self._send({"type": "http.response.start", "status": head.status_code, "headers": headers})
        try:
            while isinstance(event := await self._upstream.receive(), h11.Data):
                await self._send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
        except UpstreamBrokenError:
            return
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _receive_head(self) -> h11.Response:
        while True:
            event = await self._upstream.receive()
            if isinstance(event, h11.Response):
                return event
            self._may_send_body.set()


def request_head(scope: Message) -> h11.Request:
    """The request as the revision gets it: the same target and headers, on a connection that ends with the answer."""
    target: bytes = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    headers = end_to_end(scope["headers"])
    if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
        headers = [(name, value) for name, value in headers if name != b"content-length"]
        headers.append((b"transfer-encoding", b"chunked"))
    if not any(name == b"host" for name, _ in headers):  # HTTP/1.0 does not ask for it, HTTP/1.1 does
        headers.append((b"host", b"localhost"))
    if scope["client"]:
        headers.append((b"x-forwarded-for", scope["client"][0].encode()))
    headers.append((b"connection", b"close"))
    return h11.Request(method=scope["method"].encode(), target=target, headers=headers)


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that are meant for the other end; names are in lower case already."""
    pairs = list(headers)
    named = {token.strip().lower() for name, value in pairs if name == b"connection" for token in value.split(b",")}
    return [(name, value) for name, value in pairs if name not in _BETWEEN_NEIGHBOURS and name not in named]
