"""The process in which moto runs, seen from outside: started, asked for its port, ended.

Owns the process. Must not import moto: that takes seconds and a hundred megabytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import IO

from typing_extensions import Self

_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
_STOP_SECONDS = 5
_HOST = "127.0.0.1"


class NoMotoError(Exception):
    """moto did not start."""


class MotoProcess:
    """A moto server of one's own. Starting returns at once; `port` waits until it listens."""

    def __init__(self, log: IO[bytes] | None = None) -> None:
        """`log` takes what it prints besides; nothing by default."""
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        self._lock = threading.Lock()
        self._port = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dockyard_sandbox.moto_server"],
            env={
                **kept,
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "AWS_ACCESS_KEY_ID": "sandbox",  # without any, moto's own calls look for an instance's
                "AWS_SECRET_ACCESS_KEY": "sandbox",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if log is None else log,
            start_new_session=True,  # a Ctrl-C is for its starter, who ends it
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def address(self) -> str:
        """`127.0.0.1:<port>`. Raises NoMotoError when it ended before it listened."""
        with self._lock:
            if not self._port:
                line = b"" if self._process.stdout is None else self._process.stdout.readline()
                if not line.strip().isdigit():
                    raise NoMotoError("moto did not start: is the extra `dockyard[sandbox]` installed?")
                self._port = int(line)
            return f"{_HOST}:{self._port}"

    def stop(self) -> None:
        """End it; may be repeated."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
