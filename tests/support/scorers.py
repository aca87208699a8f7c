"""Runs the scorer for tests: as the process it is in an image, or in a thread of this process.

The process gets the very files of the image's scorer layer, at another prefix. Whatever is started is stopped by its
own pid.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from typing_extensions import Self

from dockyard_scorer import layer_files
from dockyard_scorer.listener import open_listener
from dockyard_scorer.logs import EventLog, LibraryLogHandler
from dockyard_scorer.server import Service
from dockyard_scorer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  JSON
        """The body, parsed."""
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {"content-type": "application/json"}))
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Reply(status=response.status, headers=fields, body=response.read())
    finally:
        connection.close()


def write_image(prefix: Path) -> Path:
    """The image's /opt/dockyard, without model and dependencies (those of this interpreter are used)."""
    for path, content in layer_files().items():
        target = prefix / "scorer" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (prefix / "site-packages").mkdir(exist_ok=True)
    return prefix


class ScorerProcess:
    """A scorer as in an image: `python -s PREFIX/scorer …`. Use as a context manager."""

    def __init__(self, prefix: Path, *arguments: str, **environment: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKYARD_", "MLFLOW_"))}
        defaults = {"DOCKYARD_PREFIX": str(prefix), "DOCKYARD_HOST": "127.0.0.1", "PORT": "0"}
        self._process = subprocess.Popen(
            [sys.executable, "-s", str(prefix / "scorer"), *arguments],
            cwd=prefix,
            env={**inherited, **defaults, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stderr: list[str] = []
        self.stdout: list[str] = []
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._readers = (
            threading.Thread(target=self._read_events, args=(self._process.stderr,), daemon=True),
            threading.Thread(target=self._read_lines, args=(self._process.stdout,), daemon=True),
        )
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.wait()

    def wait_for(self, event: str, timeout: float = 90) -> dict[str, Any]:
        """The next log line of this event; those before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            found = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            assert found is not None, f"ended without {event}: {self.stderr}"
            if found["event"] == event:
                return found

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = 90) -> int:
        """The exit code; afterwards `stdout` and `stderr` are whole."""
        code = self._process.wait(timeout)
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return code

    def _read_events(self, stream: IO[str]) -> None:
        for line in stream:
            self.stderr.append(line)
            self._events.put(json.loads(line) if line.startswith("{") else {"event": "", "line": line})
        self._events.put(None)

    def _read_lines(self, stream: IO[str]) -> None:
        self.stdout.extend(stream)


class ScorerThread:
    """The same service in a thread of this process: no start-up time. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.stderr = io.StringIO()
        log = EventLog(self.stderr)
        self._listener = open_listener(settings.host, settings.port)
        self.port = int(self._listener.getsockname()[1])
        self.service = Service(settings, log=log, library_logs=LibraryLogHandler(log))
        self.code: int | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.begin_drain()
        self.wait()
        self._listener.close()

    def wait_until_ready(self, timeout: float = 60) -> None:
        """Return when /ready says 200."""
        deadline = time.monotonic() + timeout
        while ask(self.port, "GET", "/ready").status != 200:
            assert time.monotonic() < deadline, self.stderr.getvalue()
            time.sleep(0.02)

    def wait(self, timeout: float = 60) -> int:
        """The exit code."""
        self._thread.join(timeout)
        assert self.code is not None, self.stderr.getvalue()
        return self.code

    def events(self) -> list[dict[str, Any]]:
        """What was logged so far."""
        return [json.loads(line) for line in self.stderr.getvalue().splitlines()]

    def _run(self) -> None:
        self.code = self.service.run(self._listener)
