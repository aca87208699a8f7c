"""Owns the forwarder's ASGI application: every request goes to the revision that the route names when it arrives.

Must not change the route. Knows how many requests are under way to each revision, which is how a switch knows its end.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

from dockyard.adapters.local.exchange import Exchange, Message, Receive, Send
from dockyard.adapters.local.route import Route, RouteReader
from dockyard.adapters.local.upstream import Upstream, UpstreamBrokenError

_RETRY_SECONDS = 0.05


class Forwarding:
    """An ASGI application that passes requests on."""

    def __init__(self, routes: RouteReader, *, patience_seconds: float) -> None:
        """`patience_seconds` is how long a request waits for a revision that does not accept connections."""
        self._routes = routes
        self._patience = patience_seconds
        self._under_way: Counter[int] = Counter()
        self._newest = time.monotonic()
        self.is_leaving = False
        """Whether the port is about to close: every answer says so to its client."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one request."""
        self._newest = time.monotonic()
        await self._handle(scope, receive, lambda message: send(self._say_farewell(message)))

    @property
    def quiet_seconds(self) -> float:
        """How long ago the newest request came."""
        return time.monotonic() - self._newest

    async def _handle(self, scope: Message, receive: Receive, send: Send) -> None:
        async with self._reach_revision() as upstream:
            if upstream is None:
                await _send_not_serving(send, "No revision of this deployment accepts connections now.")
                return
            try:
                await Exchange(upstream, scope, receive, send).run()
            except UpstreamBrokenError:
                await _send_not_serving(send, "The revision closed the connection without an answer.")

    def describe(self) -> dict[str, object]:
        """The route in force and the requests under way by revision.

        A request that is not counted here begins after this moment, so it takes the route that is told here, or a newer one.
        """
        route = self._routes.read()
        return {
            "revision": route.revision if route else None,
            "under_way": {str(revision): count for revision, count in self._under_way.items() if count},
        }

    def _say_farewell(self, message: Message) -> Message:
        if self.is_leaving and message["type"] == "http.response.start":
            return {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        return message

    @asynccontextmanager
    async def _reach_revision(self) -> AsyncIterator[Upstream | None]:
        """A connection to the present revision, counted as under way; None where there is none for too long.

        A connection that is refused has carried nothing, so it is safe to try again, by a newer route if there is one.
        """
        with ExitStack() as held:
            yield await self._connect_patiently(held)

    async def _connect_patiently(self, held: ExitStack) -> Upstream | None:
        """Try until a revision accepts or patience ends; what `held` holds is counted and open until it is closed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            route = self._routes.read()
            upstream = await self._connect(route, held) if route is not None else None
            if upstream is not None or loop.time() >= deadline:
                return upstream
            await asyncio.sleep(_RETRY_SECONDS)

    async def _connect(self, route: Route, held: ExitStack) -> Upstream | None:
        """Connect to the route's revision, counting from before the attempt, so that no switch overlooks it."""
        with ExitStack() as counted:
            counted.enter_context(self._count(route))
            try:
                upstream = await Upstream.connect(route.endpoint)
            except OSError:
                return None
            counted.callback(upstream.close)
            held.push(counted.pop_all())
            return upstream

    @contextmanager
    def _count(self, route: Route) -> Iterator[None]:
        self._under_way[route.revision] += 1
        try:
            yield
        finally:
            self._under_way[route.revision] -= 1


async def _send_not_serving(send: Send, message: str) -> None:
    """One answer for a scorer that ended, however it shows: an engine accepts connections for a container that restarts."""
    body = json.dumps({"error_code": "not-serving", "message": message}).encode() + b"\n"
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
