"""Owns one run of a scorer as a child process: start, output, readiness, end. Standard library only."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress

from dockyard.adapters.local.launch import Launch

_PR_SET_PDEATHSIG = 1
_READY_SECONDS = 0.5
_READY_REQUEST = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_READY_BYTES = 65536


class ScorerProcess:
    """A scorer in a process group of its own, which the kernel kills if we are killed."""

    def __init__(self, launch: Launch, port: int) -> None:
        self._address = (launch.host, port)
        self._grace = launch.grace_seconds
        self._kill_at: float | None = None
        libc = ctypes.CDLL(None)
        parent = os.getpid()

        def die_with_parent() -> None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        self._process = subprocess.Popen(
            launch.command,
            env={**launch.env, "PORT": str(port)},
            cwd=launch.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  a supervisor has one thread
        )
        stdout = self._process.stdout
        if stdout is None:
            raise RuntimeError("a pipe was asked for")
        self._stdout = stdout
        self.output: int = stdout.fileno()
        """Readable when the scorer has printed something, or nobody is left who could."""
        os.set_blocking(self.output, False)

    def poll(self) -> int | None:
        """The exit code, once it has ended. Kills it when its grace is over."""
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill_group()
        return self._process.poll()

    def read(self) -> bytes:
        """What it has printed since; empty when there is nothing, or it has closed its output."""
        try:
            return os.read(self.output, 65536)
        except BlockingIOError:
            return b""

    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        try:
            with socket.create_connection(self._address, _READY_SECONDS) as connection:
                connection.settimeout(_READY_SECONDS)
                connection.sendall(_READY_REQUEST)
                answer = b""
                while len(answer) < _READY_BYTES and (part := connection.recv(4096)):
                    answer += part
                return answer[8:13] == b" 200 "
        except OSError:
            return False

    def end(self) -> None:
        """Ask it to end, and begin to count its grace; may be repeated."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._grace
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def __enter__(self) -> None:
        """Nothing more: it runs already."""

    def __exit__(self, *_: object) -> None:
        """End whatever it has left behind in its group, and free the pipe."""
        self._kill_group()
        self._process.wait()
        self._stdout.close()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
