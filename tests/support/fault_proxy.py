"""What stands before a real API server: it has bad moments, and it writes down what was asked and what was written."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import urllib3
import yaml

RESET, SLOW = 0, 1
"""Instead of a status: the connection is closed without an answer, or the answer takes a second."""
_EVERY = 3
_RESOURCE = re.compile(r"/(?:api|apis/([^/]+))/[^/]+/namespaces/[^/]+/([a-z]+)(?:/([^/]+)(?:/([a-z]+))?)?")
_DROPPED = frozenset({"host", "connection", "transfer-encoding", "content-length", "accept-encoding"})


@dataclass(kw_only=True)
class FaultProxy:
    """What happens to calls, and which there were."""

    kubeconfig: Path
    faults: tuple[int, ...] = ()
    """What befalls every third call, in turn: a status, RESET or SLOW."""
    befallen: int = 0
    used: set[tuple[str, str, str]] = field(default_factory=set)
    """Group, resource and verb of the calls that reached the API server."""
    writes: list[tuple[str, str]] = field(default_factory=list)
    """Those of them that changed something other than the lock."""
    _calls: Iterator[int] = field(default_factory=lambda: count(1))

    def choose_fault(self) -> int | None:
        """What befalls the call that comes now; None: nothing."""
        number = next(self._calls)
        if not self.faults or number % _EVERY:
            return None
        self.befallen += 1
        return self.faults[self.befallen % len(self.faults)]

    def note(self, method: str, path: str, status: int) -> None:
        """Write a call down."""
        found = _RESOURCE.match(path.partition("?")[0])
        if found is None:
            return
        group, resource, name, subresource = found.groups()
        kind = f"{resource}/{subresource}" if subresource else resource
        verbs = {"GET": "get" if name else "list", "POST": "create", "PUT": "update", "DELETE": "delete"}
        changed = [verbs.get(method, "patch"), *(["create"] if method == "PATCH" and status == 201 else [])]
        self.used |= {(group or "", kind, verb) for verb in changed}
        is_kept = method != "GET" and "dryRun=All" not in path and subresource != "proxy"
        if is_kept and resource != "leases" and status < 300:
            self.writes.append((method, path))


def open_pool(cluster: dict[str, str], authority: Path) -> urllib3.PoolManager:
    """Connections to an API server whose authority is written into that file."""
    data = cluster.get("certificate-authority-data")
    authority.write_bytes(base64.b64decode(data) if data else Path(cluster["certificate-authority"]).read_bytes())
    return urllib3.PoolManager(ca_certs=str(authority), maxsize=8)


@contextmanager
def run_fault_proxy(kubeconfig: Path) -> Iterator[FaultProxy]:
    """Run one before the API server that a client configuration names; it passes on who calls."""
    configuration = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    upstream = configuration["clusters"][0]["cluster"]["server"]
    pool = open_pool(configuration["clusters"][0]["cluster"], kubeconfig.with_suffix(".ca"))
    proxy = FaultProxy(kubeconfig=kubeconfig.with_suffix(".proxied"))

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            fault = proxy.choose_fault()
            if fault == RESET:
                self.close_connection = True
                return
            if fault == SLOW:
                time.sleep(1)
            elif fault is not None:
                self._answer(fault, b'{"kind": "Status", "message": "a bad moment"}', {"Retry-After": "1"})
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
            found = pool.request(self.command, f"{upstream}{self.path}", body=content or None, headers=headers, retries=False)
            proxy.note(self.command, self.path, found.status)
            self._answer(found.status, found.data, {"Content-Type": found.headers.get("Content-Type", "")})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    configuration["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{server.server_address[1]}"}
    proxy.kubeconfig.write_text(yaml.safe_dump(configuration))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        pool.clear()
