"""Clients that ask a deployment's port without pause while the test switches what is behind it."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Load:
    """Clients that ask without pause until they are told to stop; every answer and every failure is counted."""

    port: int
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    farewells: int = 0
    """Answers that said that their connection would be closed."""
    refused: int = 0
    """Connections that were refused, so that nothing was sent."""
    is_over: threading.Event = field(default_factory=threading.Event)

    def ask_on_one_connection(self) -> None:
        connection = self._connect()
        while not self.is_over.is_set():
            self._ask(connection)
        connection.close()

    def ask_on_fresh_connections(self) -> None:
        while not self.is_over.is_set():
            connection = self._connect()
            self._ask(connection)
            connection.close()

    def ask_slowly(self) -> None:
        """Requests that a switch is sure to find under way."""
        while not self.is_over.is_set():
            connection = self._connect()
            self._ask(connection, {"seconds": 0.2})
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def _ask(self, connection: http.client.HTTPConnection, request: object = None) -> None:
        try:
            used = connection.sock
            connection.request("POST", "/invocations", body=json.dumps(request or {}))
            response = connection.getresponse()
            content = response.read()
            if response.status == 200:
                self.answers[json.loads(content)["predictions"][0]] += 1
            else:
                self.failures.append(f"{response.status} {content!r}")
            if response.will_close:
                self.farewells += 1
            elif used is not None and connection.sock is not used:
                self.failures.append("a kept connection was closed")
        except ConnectionRefusedError:
            self.refused += 1
            connection.close()  # it would wait for the answer to a request that it never sent
            self.is_over.wait(0.01)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))


@contextmanager
def load_on(port: int) -> Iterator[Load]:
    load = Load(port=port)
    kinds = (load.ask_on_one_connection, load.ask_on_one_connection, load.ask_on_fresh_connections, load.ask_slowly)
    threads = [threading.Thread(target=kind) for kind in kinds]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.is_over.set()
        for thread in threads:
            thread.join()
