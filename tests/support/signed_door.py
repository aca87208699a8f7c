"""A door before a server that lets in only what is signed with one secret, as AWS's is before an MLflow server it manages."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from typing_extensions import override

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<signed>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)
REFUSAL = b'{"error_code": "PERMISSION_DENIED", "message": "User is not authorized to perform: sagemaker-mlflow:AccessUI"}'


@dataclass(frozen=True, kw_only=True)
class Knock:
    """A request that came to the door. `scope` is the region and service that it was signed for; empty: it was not."""

    method: str
    path: str
    headers: Mapping[str, str]
    scope: str
    is_let_in: bool


@dataclass(kw_only=True)
class SignedDoor:
    """Where it is, and what came."""

    url: str
    knocks: list[Knock] = field(default_factory=list)


@contextmanager
def open_door(behind: str, secret: str) -> Iterator[SignedDoor]:
    """A door before the server at `behind`. `/health` is open to all, as nothing is there to be had."""
    target = urlsplit(behind)

    class Handler(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            """Tests look at the knocks."""

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            scope, signed = check_signature(self.command, self.path, headers, body, secret)
            is_let_in = signed or self.path == "/health"
            path = self.path.partition("?")[0]
            door.knocks.append(Knock(method=self.command, path=path, headers=headers, scope=scope, is_let_in=is_let_in))
            self._pass_on(headers, body) if is_let_in else self._answer(403, REFUSAL, "application/json")

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 the names are http.server's

        def _pass_on(self, headers: Mapping[str, str], body: bytes) -> None:
            connection = http.client.HTTPConnection(target.netloc, timeout=60)
            kept = {name: value for name, value in headers.items() if name in {"content-type", "accept", "user-agent"}}
            connection.request(self.command, self.path, body, kept)
            answer = connection.getresponse()
            self._answer(answer.status, answer.read(), answer.getheader("Content-Type", "application/json"))
            connection.close()

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door = SignedDoor(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check_signature(method: str, path: str, headers: Mapping[str, str], body: bytes, secret: str) -> tuple[str, bool]:
    """What a request was signed for, and whether with that secret."""
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        return "", False
    signed = {name: headers[name] for name in found["signed"].split(";") if name in headers}
    request = AWSRequest(method=method, url=f"http://{headers['host']}{path}", data=body, headers=signed)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(found["key"], secret), found["service"], found["region"])
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return f"{found['region']}/{found['service']}", expected == found["signature"]
