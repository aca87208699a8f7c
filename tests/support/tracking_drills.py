"""What a tracking server on a cluster is put through: bursts of requests, another password, commands in its pods."""

from __future__ import annotations

import http.client
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
from typing_extensions import Self

_AT_ONCE = 8
_PAUSE_SECONDS = 0.3


@dataclass(kw_only=True)
class Bursts:
    """Eight requests at once, again and again, while its block lasts: for more, MLflow keeps no connections to its database."""

    host: str
    path: str
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while not self._ended.wait(_PAUSE_SECONDS):
                found = [one for one in pool.map(self._ask, range(_AT_ONCE)) if one]
                self.failures += found
                self.answered += _AT_ONCE - len(found)

    def _ask(self, _number: int) -> str:
        """What went wrong; empty when nothing did."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request("GET", self.path)
            answer = connection.getresponse()
            body = answer.read().decode("utf-8", "replace")
        except OSError as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "" if answer.status == 200 else f"{answer.status} {body[:200]}"


def run_in_pod(environment: Mapping[str, str], namespace: str, pod: str, *command: str) -> str:
    """What a program says in a pod, complaints included."""
    call = ["kubectl", "exec", "--namespace", namespace, pod, "--", *command]
    ended = subprocess.run(call, env=dict(environment), check=False, capture_output=True, text=True, timeout=60)
    return ended.stdout + ended.stderr


def run_as_root(host: str, root_password: str, *statements: tuple[str, tuple[str, ...]]) -> None:
    """Run statements as MySQL's root, with their values."""
    with (
        pymysql.connect(host=host, user="root", password=root_password, connect_timeout=10) as connection,
        connection.cursor() as cursor,
    ):
        for statement, values in statements:
            cursor.execute(statement, values)


def write_blocks(file: Path, size: int, block: bytes) -> None:
    """A file of `size` bytes in which no two blocks are the same."""
    with file.open("wb") as stream:
        for number in range(size // len(block)):
            stream.write(number.to_bytes(8, "big") + block[8:])
