"""Owns one HTTP/1.1 connection to a revision, for one request. Must not know where requests come from.

Plain non-blocking sockets instead of asyncio's streams: a stream throws away an answer that has arrived when writing the
rest of the request fails, which is just what happens when a server refuses a body that is too large.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import h11

_READ_BYTES = 65536
_MAX_HEAD_BYTES = 65536
_CONNECT_SECONDS = 5.0


class UpstreamBrokenError(Exception):
    """The revision closed the connection, or spoke something that is not HTTP, before its answer was whole."""


class Upstream:
    """A connection to a revision, good for one request and its answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def connect(cls, endpoint: tuple[str, int]) -> Upstream:
        """Open a connection. Raises OSError (TimeoutError included); then nothing has been sent."""
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(connection, endpoint), _CONNECT_SECONDS)
        except BaseException as error:
            connection.close()
            if isinstance(error, asyncio.TimeoutError):  # an OSError only since Python 3.11
                raise TimeoutError("the revision does not accept connections") from error
            raise
        return cls(connection)

    async def send(self, event: h11.Event) -> None:
        """Send a part of the request. Raises OSError when the revision does not take it any more."""
        data = self._http.send(event)
        if data:
            await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> h11.Event:
        """The next part of the answer. Raises UpstreamBrokenError."""
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                    raise UpstreamBrokenError("the revision closed the connection")
                if isinstance(event, h11.Event):
                    return event
                self._http.receive_data(await self._loop.sock_recv(self._socket, _READ_BYTES))
        except (OSError, h11.RemoteProtocolError) as error:
            raise UpstreamBrokenError(str(error)) from error

    def abort(self) -> None:
        """Break the connection: whoever waits for the answer finds it broken."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the socket; nobody may be waiting on it."""
        self._socket.close()
