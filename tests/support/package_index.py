"""A package index on loopback: files of a folder by the simple API, with what goes wrong with indexes.

Owns nothing but the answers. For tests of locking and fetching.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import Self


class PackageIndex:
    """Serves `/simple/<name>/` and `/files/<file>`.

    `fail_next` holds statuses to answer files with; 0 breaks the answer off in the middle.
    """

    def __init__(self, folder: Path, *, login: tuple[str, str] | None = None, ranges: bool = True) -> None:
        self.folder = folder
        self.login = login
        self.ranges = ranges
        self.fail_next: list[int] = []
        self.requests: list[tuple[str, str]] = []
        self._server = _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"owner": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/simple"

    def file_url(self, wheel: Path) -> str:
        return f"http://{self.host}/files/{wheel.name}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    owner: PackageIndex
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing is printed."""

    def do_GET(self) -> None:
        self.owner.requests.append((self.path, self.headers.get("Range", "")))
        if self.owner.login and self.headers.get("Authorization") != _basic(*self.owner.login):
            self._answer(401, b"", {"WWW-Authenticate": "Basic realm=index"})
        elif self.path.startswith("/simple/"):
            self._answer(200, self._list_files(self.path.split("/")[2]), {"Content-Type": "text/html"})
        else:
            self._send_file(self.owner.folder / Path(self.path).name)

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _list_files(self, name: str) -> bytes:
        files = [file for file in self.owner.folder.iterdir() if re.sub(r"[-_.]+", "-", file.name.split("-")[0]) == name]
        links = (
            f'<a href="/files/{file.name}#sha256={hashlib.sha256(file.read_bytes()).hexdigest()}">{file.name}</a>'
            for file in files
        )
        return f"<html><body>{''.join(links)}</body></html>".encode()

    def _send_file(self, file: Path) -> None:
        fault = self.owner.fail_next.pop(0) if self.owner.fail_next else None
        if fault or not file.is_file():
            self._answer(fault or 404, b"", {"Retry-After": "0"})
            return
        content = file.read_bytes()
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if self.owner.ranges else None
        start = int(match[1]) if match else 0
        if start >= len(content):
            self._answer(416, b"", {})
            return
        self._answer(206 if match else 200, content[start:], {}, cut=fault == 0)

    def _answer(self, status: int, content: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.close_connection = True


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
