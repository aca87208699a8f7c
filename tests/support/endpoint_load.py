"""A client that asks an endpoint all the time, as its users do, without the SDK and without ever asking again."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter

from typing_extensions import Self

_ACCESS = "LOAD/20260101/us-east-1/sagemaker/aws4_request"
_SCOPE = f"AWS4-HMAC-SHA256 Credential={_ACCESS}, SignedHeaders=host, Signature=0"  # not a secret: made up


class EndpointLoad:
    """Requests to `endpoint` on a port of this machine, while its block lasts."""

    def __init__(self, port: int, endpoint: str, *, pause_seconds: float = 0.01) -> None:
        self._port = port
        self._path = f"/endpoints/{endpoint}/invocations"
        self._pause = pause_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers: Counter[str] = Counter()
        """How often each answer came; what is no 200 has its status before it."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Content-Type": "application/json", "Authorization": _SCOPE}
        while True:
            connection.request("POST", self._path, b"{}", headers)
            response = connection.getresponse()
            content = response.read().decode()
            self.answers[json.dumps(json.loads(content)) if response.status == 200 else f"{response.status} {content}"] += 1
            if self._stop.wait(self._pause):
                connection.close()
                return
