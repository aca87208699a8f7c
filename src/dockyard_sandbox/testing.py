"""Containers that are small HTTP servers in the test's own process: for tests of the control plane, and of what uses it.

Owns the fake runner. Must not be used where a real image has to be shown to work.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from dockyard_sandbox.parts import MakeParts, Parts
from dockyard_sandbox.routes import Service
from dockyard_sandbox.runner import Container, ContainerError, ContainerSpec, ImagePullError
from dockyard_sandbox.surroundings import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeImage:
    """How the containers of an image behave. `ping` and `invoke` are the statuses of `/ping` and `/invocations`."""

    ping: int = 200
    invoke: int = 200
    answer: bytes = b'{"predictions": [1.0]}'
    fails_to_start: bool = False
    exits_with: int | None = None
    lines: tuple[str, ...] = ("ready",)


@dataclass(kw_only=True)
class FakeRunner:
    """Runs any image, as `images` says for its repository (by its last part), else as a healthy one.

    An image in `missing` cannot be pulled. `started` and `running` are open to tests.
    """

    images: Mapping[str, FakeImage] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    started: list[ContainerSpec] = field(default_factory=list)
    running: list[FakeContainer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, spec: ContainerSpec) -> Container:
        """Start a container."""
        name = _name_image(spec.image)
        behaviour = self.images.get(name, FakeImage())
        if name in self.missing:
            raise ImagePullError(f"{spec.image} does not exist")
        if behaviour.fails_to_start:
            raise ContainerError("exec: no such file or directory")
        container = FakeContainer(self, behaviour)
        with self._lock:
            self.started.append(spec)
            self.running.append(container)
        for line in behaviour.lines:
            spec.log(line)
        return container

    def resolve_digest(self, image: str) -> str:
        """The digest in the reference, or one made of it."""
        if _name_image(image) in self.missing:
            raise ImagePullError(f"{image} does not exist")
        digest = image.partition("@")[2]
        return digest or f"sha256:{sha256(image.encode()).hexdigest()}"

    def forget(self, container: FakeContainer) -> None:
        """A container has ended."""
        with self._lock:
            if container in self.running:
                self.running.remove(container)


class FakeContainer:
    """A container: answers `/ping` and `/invocations` as its image says."""

    def __init__(self, runner: FakeRunner, behaviour: FakeImage) -> None:
        self._runner = runner
        self._behaviour = behaviour
        self._server = _make_server(behaviour)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def exit_code(self) -> int | None:
        """How it ended."""
        return 0 if self._stopped else self._behaviour.exits_with

    def stop(self, grace_seconds: float = 30) -> None:  # noqa: ARG002
        """Stop answering."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._runner.forget(self)


def _make_server(behaviour: FakeImage) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            """Tests look at the runner."""

        def do_GET(self) -> None:
            self._answer(behaviour.ping if self.path == "/ping" else 404, b"")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(behaviour.invoke, behaviour.answer)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server


def _name_image(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def make_fake_parts(
    runner: FakeRunner, *, surroundings: Surroundings | None = None, services: Mapping[str, Service] | None = None
) -> MakeParts:
    """Parts of which only the containers are there: for `SandboxSettings(make_parts=make_fake_parts(FakeRunner()))`."""
    return lambda _bearings: Parts(runner=runner, surroundings=surroundings or Surroundings(), services=services or {})
