"""A few paths of a Kubernetes API server on loopback: objects by path with resource versions, and answers that were ordered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

Json = dict[str, Any]
RESET = 0
"""Instead of a status: the connection is closed without an answer."""


@dataclass(kw_only=True)
class KubeStandIn:
    """What it has and what it was asked."""

    kubeconfig: Path
    objects: dict[str, Json] = field(default_factory=dict)
    ordered: list[tuple[int, bytes]] = field(default_factory=list)
    """Statuses and bodies that the next calls are answered with, whatever they ask."""
    forbidden: tuple[str, ...] = ()
    """Kinds, as paths name them, that nobody may list."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    _version: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, body: Json | None) -> tuple[int, bytes]:
        """Do what a call asks, one after the other."""
        with self._lock:
            self.calls.append((method, path))
            if self.ordered:
                return self.ordered.pop(0)
            status, found = self._act(method, urlsplit(path), body or {})
            return status, json.dumps(found or {"kind": "Status", "message": f"status {status}"}).encode()

    @property
    def url(self) -> str:
        """Where it answers."""
        return str(json.loads(self.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The calls that asked for a change."""
        return [(method, path) for method, path in self.calls if method != "GET" and "dryRun=All" not in path]

    def _act(self, method: str, address: SplitResult, body: Json) -> tuple[int, Json | None]:
        path, query = address.path, dict(parse_qsl(address.query))
        there = self.objects.get(path)
        if "labelSelector" in query:
            is_forbidden = path.rpartition("/")[2] in self.forbidden
            return (403, None) if is_forbidden else (200, {"items": list(self._select(path, query["labelSelector"]))})
        if method == "PATCH":
            merged = _merge(there or {}, body)
            return 200, merged if "dryRun" in query else self._store(path, merged)
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            return (409, None) if path in self.objects else (201, self._store(path, body))
        if there is None:
            return 404, None
        if method == "PUT":
            is_same = body["metadata"]["resourceVersion"] == there["metadata"]["resourceVersion"]
            return (200, self._store(path, body)) if is_same else (409, None)
        return 200, self.objects.pop(path) if method == "DELETE" else there

    def _select(self, folder: str, selector: str) -> Iterator[Json]:
        wanted = dict(one.split("=") for one in selector.split(","))
        for path, item in self.objects.items():
            if path.rpartition("/")[0] == folder and wanted.items() <= item["metadata"].get("labels", {}).items():
                yield item

    def _store(self, path: str, body: Json) -> Json:
        self._version += 1
        self.objects[path] = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self._version)}}
        return self.objects[path]


def _merge(old: Json, new: Json) -> Json:
    """As applying does it where nobody else owns a field; lists are replaced."""
    inner = {name for name, one in new.items() if isinstance(one, dict) and isinstance(old.get(name), dict)}
    return {**old, **{name: _merge(old[name], one) if name in inner else one for name, one in new.items()}}


@contextmanager
def run_kube_stand_in(folder: Path) -> Iterator[KubeStandIn]:
    """Run one while the block lasts; its client configuration is in `folder`."""
    stand_in = KubeStandIn(kubeconfig=folder / "kubeconfig")

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            stand_in.headers.append(dict(self.headers))
            status, answer = stand_in.answer(self.command, self.path, json.loads(content) if content else None)
            if status == RESET:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    context = {"cluster": "here", "user": "ann", "namespace": "models"}
    configuration = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": context}, {"name": "bare", "context": {"cluster": "here", "user": "ann"}}],
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
        "users": [{"name": "ann", "user": {"token": "s3cr3t-canary"}}],
    }
    stand_in.kubeconfig.write_text(json.dumps(configuration))
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
