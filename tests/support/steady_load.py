"""Clients that ask a deployment all the time, as its users do, and a list of everything that went wrong for one of them.

Half of the clients keep their connection, half open one for each request. A request has failed when its connection was refused
or broke, when it was answered by anything but 200, or when the answer is none of those expected. Nothing is ever sent again.

Requests are bytes made once, and of an answer no more is read than what is judged: tens of thousands run through one test, on a
machine that serves them, too.
"""

from __future__ import annotations

import json
import math
import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

from typing_extensions import Self

_TIMEOUT_SECONDS = 60.0
_UNHURRIED_SECONDS = 0.03
_OK = b"HTTP/1.1 200 "
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)


class SteadyLoad:
    """A load on `port` while its block lasts."""

    def __init__(
        self,
        port: int,
        *,
        body: bytes,
        answers: tuple[object, ...],
        clients: int = 4,
        pause_seconds: float = 0.02,
        host: str = "127.0.0.1",
        asked_for: str | None = None,
    ) -> None:
        """`answers` are the values that a 200 may hold; a client waits `pause_seconds` between two requests.

        `asked_for` is the host that is asked for, where that is not the one that is spoken to.
        """
        self._address = (host, port)
        self._request = _write_request(asked_for or f"{host}:{port}", body)
        self._answers = [json.dumps(answer) for answer in answers]
        self._pause = pause_seconds
        self._hurried_until = math.inf
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._ask, args=(index % 2 == 0,)) for index in range(clients)]

    @property
    def answered(self) -> int:
        """How many requests were answered as they should be."""
        return sum(self.answers.values())

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def hurry(self, count: int) -> None:
        """Ask so many more as fast as was said; from then on there are fewer, until the next call."""
        self._hurried_until = self.answered + count

    def wait_for(self, count: int, timeout: float = 60) -> None:
        """Return when `count` more requests have been answered."""
        wanted, deadline = self.answered + count, time.monotonic() + timeout
        while self.answered < wanted:
            assert time.monotonic() < deadline, f"{self.answered} of {wanted} requests answered; {self.failures[:5]}"
            time.sleep(0.02)

    def assert_whole(self, at_least: int = 1) -> None:
        """No request has failed, and there were so many."""
        assert self.failures == []
        assert self.answered >= at_least

    def _ask(self, keep: bool) -> None:
        connection: socket.socket | None = None
        while not self._stop.is_set():
            connection = self._ask_once(connection)
            if connection is not None and not keep:
                connection.close()
                connection = None
            self._stop.wait(self._pause if self.answered < self._hurried_until else max(self._pause, _UNHURRIED_SECONDS))
        if connection is not None:
            connection.close()

    def _ask_once(self, connection: socket.socket | None) -> socket.socket | None:
        """Ask, on that connection or a new one; return the one that may be asked again."""
        began = time.monotonic()
        try:
            if connection is None:
                connection = socket.create_connection(self._address, timeout=_TIMEOUT_SECONDS)
            connection.sendall(self._request)
            head, content = _read_response(connection)
        except OSError as error:
            if connection is not None:
                connection.close()
            self._count(f"{type(error).__name__} {error} after {time.monotonic() - began:.2f} s")
            return None
        self._judge(head, content, time.monotonic() - began)
        if _CLOSES.search(head):
            connection.close()
            return None
        return connection

    def _judge(self, head: bytes, content: bytes, seconds: float) -> None:
        text = content.decode("utf-8", "replace")
        with suppress(ValueError):
            text = json.dumps(json.loads(text))
        is_right = head.startswith(_OK) and text in self._answers
        self._count(None if is_right else f"{_title(head)} {text[:200]} after {seconds:.2f} s", text)

    def _count(self, failure: str | None, answer: str = "") -> None:
        with self._lock:
            if failure is None:
                self.answers[answer] += 1
            else:
                self.failures.append(failure)


def _title(head: bytes) -> str:
    """The first line: what became of it."""
    return head.partition(b"\r\n")[0].decode("ascii", "replace")


def _write_request(host: str, body: bytes) -> bytes:
    head = (
        f"POST /invocations HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def _read_response(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of a whole response. Raises OSError where it breaks off, and for one that does not say its length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, content = received.partition(b"\r\n\r\n")
    head += b"\r\n"
    length = _LENGTH.search(head)
    if length is None:
        raise OSError(f"an answer without a length, {_title(head)}")
    while len(content) < int(length[1]):
        content += _receive(connection)
    if len(content) != int(length[1]):
        raise OSError(f"{len(content)} bytes of an answer of {int(length[1])}")
    return head, content


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionResetError("closed before the answer was whole")
    return chunk
