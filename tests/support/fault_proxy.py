"""What stands before a real API server: it has bad moments, and it writes down what was asked and what was written."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import urllib3
import yaml

RESET, SLOW = 0, 1
"""Instead of a status: the connection is closed without an answer, or the answer takes a second."""
Verb = tuple[str, str, str]
"""Group, resource and verb."""
_EVERY = 3
_RESOURCE = re.compile(r"/(?:api|apis/([^/]+))/[^/]+/namespaces/[^/]+/([a-z]+)(?:/([^/]+)(?:/([a-z]+))?)?")
_DROPPED = frozenset({"host", "connection", "transfer-encoding", "content-length", "accept-encoding"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_tried_only(self) -> bool:
        """Whether nothing is kept of what it does."""
        return "dryRun=All" in self.path


@dataclass(kw_only=True)
class FaultProxy:
    """What happens to calls, and which there were."""

    kubeconfig: Path
    upstream: str
    pool: urllib3.PoolManager
    faults: tuple[int, ...] = ()
    """What befalls every third call, in turn: a status, RESET or SLOW."""
    befallen: int = 0
    conflicts: int = 0
    """So many of the next applied objects are answered 409: somebody else was faster."""
    used: dict[Verb, Call] = field(default_factory=dict)
    """What the calls were that reached the API server, and one call for each."""
    writes: list[tuple[str, str]] = field(default_factory=list)
    """Those of them that changed something other than the lock."""
    _calls: Iterator[int] = field(default_factory=lambda: count(1))

    def choose_fault(self, call: Call) -> int | None:
        """What befalls the call that comes now; None: nothing."""
        if self.conflicts and call.method == "PATCH" and not call.is_tried_only:
            self.conflicts -= 1
            return 409
        number = next(self._calls)
        if not self.faults or number % _EVERY:
            return None
        self.befallen += 1
        return self.faults[self.befallen % len(self.faults)]

    def send(self, call: Call) -> urllib3.BaseHTTPResponse:
        """Have the API server answer a call."""
        address = f"{self.upstream}{call.path}"
        return self.pool.request(call.method, address, body=call.body or None, headers=call.headers, retries=False)

    def try_again(self, call: Call) -> int:
        """The status of a call that was made before, of which nothing is kept this time."""
        path = call.path if call.method == "GET" else f"{call.path}{'&' if '?' in call.path else '?'}dryRun=All"
        return self.send(replace(call, path=path)).status

    def note(self, call: Call, status: int) -> None:
        """Write a call down."""
        wanted = name_verbs(call.method, call.path, is_new=status == 201)
        self.used |= dict.fromkeys(wanted, call)
        is_kept = call.method != "GET" and not call.is_tried_only
        if is_kept and status < 300 and any(what != "leases" and not what.endswith("/proxy") for _, what, _ in wanted):
            self.writes.append((call.method, call.path))


def name_verbs(method: str, path: str, *, is_new: bool) -> tuple[Verb, ...]:
    """What a role must allow for a call, the watching of a list told from reading it; nothing for what is in no namespace.

    `is_new`: whether what is applied was not there.
    """
    place, _, query = path.partition("?")
    found = _RESOURCE.match(place)
    if found is None:
        return ()
    group, resource, name, subresource = found.groups()
    kind = f"{resource}/{subresource}" if subresource else resource
    reads = "get" if name else "watch" if "watch=" in query else "list"
    verb = {"GET": reads, "POST": "create", "PUT": "update", "DELETE": "delete"}.get(method, "patch")
    verbs = (verb, "create") if method == "PATCH" and is_new else (verb,)
    return tuple((group or "", kind, one) for one in verbs)


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
    proxy = FaultProxy(kubeconfig=kubeconfig.with_suffix(".proxied"), upstream=upstream, pool=pool)

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
            call = Call(method=self.command, path=self.path, headers=headers, body=content)
            fault = proxy.choose_fault(call)
            if fault == RESET:
                self.close_connection = True
                return
            if fault == SLOW:
                time.sleep(1)
            elif fault is not None:
                self._answer(fault, b'{"kind": "Status", "message": "a bad moment"}', {"Retry-After": "1"})
                return
            found = proxy.send(call)
            proxy.note(call, found.status)
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
