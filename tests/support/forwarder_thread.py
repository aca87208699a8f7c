"""A forwarder in a thread of the test's own process, in front of whatever the test routes it to."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from dockyard.adapters.local.forwarder import make_config
from dockyard.adapters.local.forwarding import Forwarding
from dockyard.adapters.local.route import Route, RouteReader, write_route


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningForwarder:
    """A forwarder and its route."""

    port: int
    app: Forwarding
    route: Path

    def lead_to(self, address: str, *, revision: int = 1) -> None:
        write_route(self.route, Route(revision=revision, address=address))

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def open_socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def get(self, path: str = "/") -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def run_forwarder(folder: Path, *, patience_seconds: float = 0.2) -> Iterator[RunningForwarder]:
    """Forward on loopback until the block ends."""
    route = folder / "route.json"
    app = Forwarding(RouteReader(route), patience_seconds=patience_seconds)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(make_config(app))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    port = listener.getsockname()[1]
    thread.start()
    try:
        yield RunningForwarder(port=port, app=app, route=route)
    finally:
        server.should_exit = True
        thread.join()
