"""A registry in memory, for tests of whatever pushes and pulls images: ours and our users'.

Owns enough of the distribution API to be honest: it checks digests and references, mounts, takes streams and pieces, asks for
Basic or bearer credentials, and fails on request. Listens on loopback only. Not for production: it forgets everything.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from typing_extensions import Self

from dockyard_image.digest import digest_bytes, is_digest

Auth = Literal["none", "basic", "token"]
_ROUTE = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|blobs/uploads)/(?P<tail>[^/]*)")


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong the next `times` times for requests of `method` whose path contains `path`.

    With a `status`, that is the answer. Without one the connection is reset: during an upload after `after_bytes` of the body,
    and with the method `SEND` after so many bytes of an answer.
    """

    method: str
    path: str = ""
    status: int = 0
    after_bytes: int = 0
    times: int = 1


@dataclass(kw_only=True)
class RegistryContents:
    """What the registry holds. Open to tests: look, and damage."""

    blobs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    manifests: dict[str, dict[str, tuple[bytes, str]]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)


class FakeRegistry:
    """A registry on a free loopback port while its `with` block lasts.

    `mounts` and `streams` say whether it links blobs between repositories and takes a blob in one request. Tests may set
    `upload_address` (where clients are sent with their blobs), `token_seconds` and `denied` (repositories that tokens do not
    open), and read `requests` and `authorizations`.
    """

    def __init__(
        self,
        *,
        auth: Auth = "none",
        login: tuple[str, str] = ("", ""),
        mounts: bool = True,
        streams: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.auth = auth
        self.login = login
        self.mounts = mounts
        self.streams = streams
        self.contents = RegistryContents()
        self.requests: list[tuple[str, str]] = []
        self.authorizations: list[str] = []
        self.upload_address = ""
        self.token_seconds = 300
        self.denied: set[str] = set()
        self.faults: list[Fault] = []
        self.tokens: dict[str, set[str]] = {}
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _make_handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def host(self) -> str:
        """Host and port, as they stand in a reference."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, fault: Fault) -> None:
        """Let something go wrong."""
        with self.lock:
            self.faults.append(fault)

    def count(self, method: str, part: str = "") -> int:
        """How many requests of a method had `part` in their path."""
        with self.lock:
            return sum(1 for made, path in self.requests if made == method and part in path)

    def take_fault(self, method: str, path: str) -> Fault | None:
        """The fault that is due for a request, used up by one."""
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and fault.method == method and fault.path in path:
                    fault.times -= 1
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not worth a traceback in somebody's test output."""


def _make_handler(registry: FakeRegistry) -> type[BaseHTTPRequestHandler]:
    class Bound(_Handler):
        owner = registry

    return Bound


class _Handler(BaseHTTPRequestHandler):
    owner: FakeRegistry
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests look at `requests`; nothing is printed."""

    def _serve(self) -> None:
        with self.owner.lock:
            self.owner.requests.append((self.command, self.path))
            self.owner.authorizations.append(self.headers.get("Authorization", ""))
        if self._break_down():
            return
        url = urlsplit(self.path)
        self._query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/token":
            self._give_token()
        elif url.path == "/v2/":
            self._ping()
        elif (route := _ROUTE.fullmatch(url.path)) is None:
            self._refuse(404, "NOT_FOUND")
        elif not self._is_allowed(route["name"]):
            self._challenge(route["name"])
        else:
            action = self._find_action(route["kind"])
            if action is None:
                self._refuse(405, "UNSUPPORTED")
            else:
                action(route["name"], route["tail"])

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - the base class's names

    def _ping(self) -> None:
        if self.owner.auth == "none":
            self._answer(200, b"{}")
        else:
            self._challenge("")

    def _find_action(self, kind: str) -> Callable[[str, str], None] | None:
        method = "GET" if self.command == "HEAD" else self.command
        actions: dict[tuple[str, str], Callable[[str, str], None]] = {
            ("GET", "manifests"): self._send_manifest,
            ("PUT", "manifests"): self._take_manifest,
            ("GET", "blobs"): self._send_blob,
            ("POST", "blobs/uploads"): self._start_upload,
            ("PATCH", "blobs/uploads"): self._take_piece,
            ("PUT", "blobs/uploads"): self._finish_upload,
        }
        return actions.get((method, kind))

    # Who may do what

    def _is_allowed(self, name: str) -> bool:
        header = self.headers.get("Authorization", "")
        if self.owner.auth == "none":
            return True
        if self.owner.auth == "basic":
            return header == self._basic()
        granted = self.owner.tokens.get(header.removeprefix("Bearer "), set())
        needed = "pull" if self.command in {"GET", "HEAD"} else "push"
        source = self._query.get("from")
        return f"{name}:{needed}" in granted and (source is None or f"{source}:pull" in granted)

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(":".join(self.owner.login).encode()).decode()

    def _challenge(self, name: str) -> None:
        self._read_body()
        realm = f'Bearer realm="http://{self.owner.host}/token",service="fake",scope="repository:{name}:pull"'
        kind = 'Basic realm="fake"' if self.owner.auth == "basic" else realm
        self._refuse(401, "UNAUTHORIZED", {"WWW-Authenticate": kind})

    def _give_token(self) -> None:
        fields = parse_qs(self._read_body().decode() if self.command == "POST" else urlsplit(self.path).query)
        by_identity = self.owner.login[1] in fields.get("refresh_token", [])
        if self.headers.get("Authorization", "") != self._basic() and not by_identity:
            self._refuse(401, "UNAUTHORIZED")
            return
        granted: set[str] = set()
        for scope in " ".join(fields.get("scope", [])).split():
            _, name, actions = scope.split(":")
            granted |= {f"{name}:{action}" for action in actions.split(",") if name not in self.owner.denied}
        token = secrets.token_hex(16)
        self.owner.tokens[token] = granted
        answer = {"access_token" if by_identity else "token": token, "expires_in": self.owner.token_seconds}
        self._answer(200, json.dumps(answer).encode())

    # Manifests

    def _send_manifest(self, name: str, selector: str) -> None:
        found = self.owner.contents.manifests.get(name, {}).get(selector)
        if found is None:
            self._refuse(404, "MANIFEST_UNKNOWN")
            return
        content, media_type = found
        self._answer(200, content, {"Content-Type": media_type, "Docker-Content-Digest": digest_bytes(content)})

    def _take_manifest(self, name: str, selector: str) -> None:
        content = self._read_body()
        media_type = self.headers.get("Content-Type", "")
        code = self._check_manifest(name, selector, content, media_type)
        if code:
            self._refuse(400, code)
            return
        digest = digest_bytes(content)
        self.owner.contents.manifests.setdefault(name, {}).update(dict.fromkeys((selector, digest), (content, media_type)))
        self._answer(201, b"", {"Docker-Content-Digest": digest})

    def _check_manifest(self, name: str, selector: str, content: bytes, media_type: str) -> str:
        try:
            document = json.loads(content)
            pointers = [document["config"]["digest"], *(layer["digest"] for layer in document["layers"])]
        except (ValueError, KeyError, TypeError):
            return "MANIFEST_INVALID"
        if document.get("mediaType") != media_type or (is_digest(selector) and selector != digest_bytes(content)):
            return "MANIFEST_INVALID"
        known = self.owner.contents.blobs.get(name, {})
        return "" if all(pointer in known for pointer in pointers) else "MANIFEST_BLOB_UNKNOWN"

    # Blobs

    def _send_blob(self, name: str, digest: str) -> None:
        content = self.owner.contents.blobs.get(name, {}).get(digest)
        if content is None:
            self._refuse(404, "BLOB_UNKNOWN")
            return
        start = int(match[1]) if (match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0
        if start >= len(content) > 0:
            self._refuse(416, "RANGE")
            return
        headers = {"Docker-Content-Digest": digest, "Content-Type": "application/octet-stream"}
        self._answer(206 if start else 200, content[start:], headers)

    def _start_upload(self, name: str, _: str) -> None:
        self._read_body()
        digest, source = self._query.get("mount", ""), self._query.get("from", "")
        content = self.owner.contents.blobs.get(source, {}).get(digest)
        if self.owner.mounts and content is not None:
            self.owner.contents.blobs.setdefault(name, {})[digest] = content
            self._answer(201, b"", {"Docker-Content-Digest": digest})
            return
        session = secrets.token_hex(8)
        self.owner.contents.uploads[session] = bytearray()
        self._answer(202, b"", {"Location": f"{self.owner.upload_address}/v2/{name}/blobs/uploads/{session}?state=1"})

    def _take_piece(self, name: str, session: str) -> None:
        waiting = self.owner.contents.uploads.get(session)
        piece = self._read_body()
        if waiting is None or not self.headers.get("Content-Range", "").startswith(f"{len(waiting)}-"):
            self._refuse(416, "BLOB_UPLOAD_INVALID")
            return
        waiting += piece
        self._answer(202, b"", {"Location": f"{self.owner.upload_address}/v2/{name}/blobs/uploads/{session}?state=2"})

    def _finish_upload(self, name: str, session: str) -> None:
        body = self._read_body()
        if body and not self.owner.streams:
            self._refuse(413, "SIZE_INVALID")
            return
        waiting = self.owner.contents.uploads.pop(session, None)
        content = bytes(waiting or b"") + body
        if waiting is None or digest_bytes(content) != self._query.get("digest"):
            self._refuse(400, "DIGEST_INVALID")
            return
        self.owner.contents.blobs.setdefault(name, {})[digest_bytes(content)] = content
        self._answer(201, b"", {"Docker-Content-Digest": digest_bytes(content)})

    # The wire

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = self.owner.take_fault("SEND", self.path)
        self.wfile.write(content[: cut.after_bytes] if cut else content)
        if cut:
            self._reset()

    def _refuse(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}).encode()
        self._answer(status, body, headers)

    def _break_down(self) -> bool:
        fault = self.owner.take_fault(self.command, self.path)
        if fault is None:
            return False
        if fault.status:
            self._read_body()
            self._refuse(fault.status, "TOOMANYREQUESTS" if fault.status == 429 else "UNKNOWN", {"Retry-After": "0"})
        else:
            self.rfile.read(min(fault.after_bytes, int(self.headers.get("Content-Length") or 0)))
            self._reset()
        return True

    def _reset(self) -> None:
        """Hang up so that the other side gets a reset, not an orderly end."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
