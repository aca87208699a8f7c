"""A server whose answers are scripts over raw bytes, for tests of what speaks HTTP to it. One thread per connection."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(kw_only=True)
class Connection:
    """One connection of a client, with the head of its request read already."""

    socket: socket.socket
    head: str
    rest: bytes
    """What came behind the head so far."""

    @property
    def request_line(self) -> str:
        return self.head.split("\r\n", 1)[0]

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.split("\r\n")[1:]
        return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def read_body(self) -> bytes:
        """The body that the headers announce, with chunks put together."""
        if self.headers.get("transfer-encoding") == "chunked":
            return b"".join(self._chunks())
        return self.read(int(self.headers.get("content-length", "0")))

    def read(self, size: int) -> bytes:
        parts, there = [self.rest], len(self.rest)
        while there < size and (data := self.socket.recv(1 << 20)):
            parts.append(data)
            there += len(data)
        content = b"".join(parts)
        self.rest = content[size:]
        return content[:size]

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def wait_for_end(self) -> None:
        """Until the client closes its end."""
        with suppress(OSError):
            while self.socket.recv(65536):
                pass

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._read_line(), 16):
            yield self.read(size)
            self._read_line()
        self._read_line()

    def _read_line(self) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            line += self.read(1)
        return line


Script: TypeAlias = Callable[[Connection], None]


class RawServer:
    """Runs a script for every connection, and remembers the requests."""

    def __init__(self, script: Script) -> None:
        self.requests: list[str] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """End; fails with the error of the first script that failed."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listener.accept()
                self._sockets.append(connected)
                self._threads.append(threading.Thread(target=self._handle, args=(connected,)))
                self._threads[-1].start()

    def _handle(self, connected: socket.socket) -> None:
        try:
            connection = _read_head(connected)
            if connection is not None:
                self.requests.append(connection.request_line)
                self._script(connection)
        except ConnectionError:
            return
        except BaseException as error:  # noqa: BLE001  raised again where the server is closed
            self._failures.append(error)
        finally:
            connected.close()


@contextmanager
def run_raw_server(script: Script) -> Iterator[RawServer]:
    """Serve on loopback until the block ends; a script that raises fails the test then."""
    server = RawServer(script)
    try:
        yield server
    finally:
        server.close()


def _read_head(connected: socket.socket) -> Connection | None:
    data = b""
    while b"\r\n\r\n" not in data and (part := connected.recv(65536)):
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    return Connection(socket=connected, head=head.decode("latin-1"), rest=rest) if head else None


def answer(text: str) -> Script:
    """Answer every request with a text."""

    def script(connection: Connection) -> None:
        connection.read_body()
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}")

    return script


def echo(connection: Connection) -> None:
    """Answer with what was asked, as JSON."""
    body = connection.read_body()
    content = json.dumps({"line": connection.request_line, "headers": connection.headers, "body": body.decode("latin-1")})
    connection.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}")
