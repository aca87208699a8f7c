"""A load of requests that counts what became of each.

A request is *lost* when its connection was accepted and the request was sent, but no whole response came back. To be
refused at `connect`, or to find a kept connection closed before a byte of the request was answered *and* before the
server had said `Connection: close`, is told apart.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field

from typing_extensions import Self

BODY = b'{"dataframe_records": [{"command": "sleep", "value": 0.02}]}'
REQUEST = b"POST /invocations HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


@dataclass
class Tally:
    """What became of the requests of one client."""

    answered: int = 0
    asked_to_close: int = 0
    refused: int = 0
    lost: list[str] = field(default_factory=list)


class Load:
    """Clients that send one request after the other, each on a kept connection, until the port refuses them."""

    def __init__(self, port: int, *, clients: int, request: bytes = REQUEST, keep: bool = True) -> None:
        self._port = port
        self._request = request
        self._keep = keep
        self._stop = threading.Event()
        self.tallies = [Tally() for _ in range(clients)]
        self._threads = [threading.Thread(target=self._send, args=(tally,)) for tally in self.tallies]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def lost(self) -> list[str]:
        """Why, for each lost request."""
        return [why for tally in self.tallies for why in tally.lost]

    def wait_for_answers(self, count: int, timeout: float = 60) -> None:
        """Return when every client got `count` answers."""
        deadline = time.monotonic() + timeout
        while min(tally.answered for tally in self.tallies) < count:
            assert time.monotonic() < deadline, self.tallies
            time.sleep(0.01)

    def _send(self, tally: Tally) -> None:
        connection: socket.socket | None = None
        while not self._stop.is_set():
            if connection is None:
                try:
                    connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
                except ConnectionRefusedError:
                    tally.refused += 1
                    break
            connection = self._exchange(connection, tally)
        if connection is not None:
            connection.close()

    def _exchange(self, connection: socket.socket, tally: Tally) -> socket.socket | None:
        try:
            connection.sendall(self._request)
            head = read_response(connection)
        except OSError as error:
            tally.lost.append(type(error).__name__)
            connection.close()
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            tally.lost.append(head.partition(b"\r\n")[0].decode())
            connection.close()
            return None
        tally.answered += 1
        closes = b"\r\nconnection: close\r\n" in head
        tally.asked_to_close += closes
        if closes or not self._keep:
            connection.close()
            return None
        return connection


def read_response(connection: socket.socket) -> bytes:
    """The head of one whole response; its body is read and dropped. Raises OSError when it breaks off."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    head = head.lower().replace(b"http/1.1", b"HTTP/1.1") + b"\r\n"
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _receive(connection)
    return head


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionResetError("closed before the response was whole")
    return chunk
