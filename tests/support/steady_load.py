"""Clients that ask a deployment all the time, as its users do, and a list of everything that went wrong for one of them.

Half of the clients keep their connection, half open one for each request. A request has failed when its connection was refused
or broke, when it was answered by anything but 200, or when the answer is none of those expected. Nothing is ever sent again.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter

from typing_extensions import Self

_TIMEOUT_SECONDS = 60.0


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
        self._headers = {"Content-Type": "application/json", **({"Host": asked_for} if asked_for else {})}
        self._host, self._port = host, port
        self._body = body
        self._answers = [json.dumps(answer) for answer in answers]
        self._pause = pause_seconds
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
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        while not self._stop.is_set():
            self._ask_once(connection)
            if not keep:
                connection.close()
            self._stop.wait(self._pause)
        connection.close()

    def _ask_once(self, connection: http.client.HTTPConnection) -> None:
        began = time.monotonic()
        try:
            connection.request("POST", "/invocations", self._body, self._headers)
            response = connection.getresponse()
            status, content = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._count(f"{type(error).__name__} after {time.monotonic() - began:.2f} s")
            return
        answer = json.dumps(json.loads(content)) if status == 200 else content.decode("utf-8", "replace")
        is_right = status == 200 and answer in self._answers
        self._count(None if is_right else f"{status} {answer[:200]} after {time.monotonic() - began:.2f} s", answer)

    def _count(self, failure: str | None, answer: str = "") -> None:
        with self._lock:
            if failure is None:
                self.answers[answer] += 1
            else:
                self.failures.append(failure)
