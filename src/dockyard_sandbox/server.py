"""The one HTTP server: reads requests off loopback sockets, and writes answers.

Owns HTTP/1.1: bodies of both encodings, kept connections, cutting one. Must not know what is asked.
"""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO

from typing_extensions import override

from dockyard_sandbox.front import ConnectionCut
from dockyard_sandbox.routes import HttpRequest, HttpResponse

HOST = "127.0.0.1"
_LOCAL_NAMES = frozenset({HOST, "localhost", "[::1]"})
_BODILESS = frozenset({204, 304})
_STREAMED = "/v2/"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for zero seconds: close sends RST
Answer = Callable[[HttpRequest], HttpResponse]


class Server:
    """Listens on a loopback port (0: a free one) from construction on; answers between `start` and `stop`."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self._http = _HttpServer((HOST, port), answer)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox server", daemon=True)

    @property
    def port(self) -> int:
        """The port."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and close every connection."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.close_connections()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Answer) -> None:
        super().__init__(address, _Handler)
        self.answer = answer
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def remember(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nobody's concern; what a service does wrong, `front` has told."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    server: _HttpServer
    connection: socket.socket

    @override
    def setup(self) -> None:
        super().setup()
        self.server.remember(self.connection)

    @override
    def finish(self) -> None:
        self.server.forget(self.connection)
        with suppress(OSError):
            super().finish()

    @override
    def handle_expect_100(self) -> bool:
        done = super().handle_expect_100()
        self.wfile.flush()  # a client sends its body when it has been told to, or after a second
        return done

    @override
    def version_string(self) -> str:
        return "DockyardSandbox"

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Calls are logged by `front`."""

    def do_GET(self) -> None:
        """Any method."""
        path, _, query = self.path.partition("?")
        body = _open_body(self.rfile, self.headers.get("Content-Length"), self.headers.get("Transfer-Encoding", ""))
        if not _is_local(self.headers.get("Host", HOST)):
            self._send(HttpResponse(status=403, body=b"The sandbox answers to names of this machine only.\n"))
            self.close_connection = True
            return
        streamed = path.startswith(_STREAMED)
        request = HttpRequest(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=b"" if streamed else body.read(),
            stream=body if streamed else io.BytesIO(),
        )
        try:
            self._send(self.server.answer(request))
        except ConnectionCut:
            self._cut()
            return
        while body.read(1 << 16):
            continue  # a body that nobody read would be taken for the next request

    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_GET  # noqa: N815 the names are http.server's

    def _send(self, response: HttpResponse) -> None:
        self.send_response(response.status)
        names = {name.lower() for name in response.headers}
        for name, value in response.headers.items():
            self.send_header(name, value)
        chunked = response.chunks is not None and "content-length" not in names
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif "content-length" not in names and response.status not in _BODILESS:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self._write(response.chunks if response.chunks is not None else [response.body], chunked=chunked)
        self.wfile.flush()

    def _write(self, parts: Iterable[bytes], *, chunked: bool) -> None:
        for part in parts:
            if part:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.wfile = io.BytesIO()
        self.connection.close()


def _is_local(host: str) -> bool:
    """Whether a request is addressed to this machine: a page in a browser whose name was bent to 127.0.0.1 is not."""
    name = host.rsplit(":", 1)[0].lower()
    return name in _LOCAL_NAMES or name.endswith(".localhost")


def _open_body(stream: io.BufferedIOBase, length: str | None, encoding: str) -> BinaryIO:
    if "chunked" in encoding.lower():
        return io.BufferedReader(_ChunkedBody(stream))
    return io.BufferedReader(_SizedBody(stream, int(length or 0)))


class _SizedBody(io.RawIOBase):
    """A body of known length."""

    def __init__(self, stream: io.BufferedIOBase, length: int) -> None:
        self._stream = stream
        self._left = length

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a buffer of bytes is what BufferedReader gives
        content = self._stream.read(min(len(buffer), self._left))
        self._left -= len(content)
        buffer[: len(content)] = content
        if not content:
            self._left = 0
        return len(content)


class _ChunkedBody(io.RawIOBase):
    """A body in chunks. https://www.rfc-editor.org/rfc/rfc9112#section-7.1"""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._left = 0
        self._ended = False

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a buffer of bytes is what BufferedReader gives
        if not self._left and not self._ended:
            self._begin_chunk()
        if self._ended:
            return 0
        content = self._stream.read(min(len(buffer), self._left))
        buffer[: len(content)] = content
        self._left -= len(content)
        if not self._left:
            self._stream.readline()
        return len(content)

    def _begin_chunk(self) -> None:
        self._left = int(self._stream.readline().partition(b";")[0].strip() or b"0", 16)
        self._ended = not self._left
        while self._ended and self._stream.readline().strip():
            continue  # trailers
