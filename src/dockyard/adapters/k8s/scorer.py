"""Owns requests to pods and Services through the API server, so that no port is opened.

Addresses are `pods/NAME` and `services/NAME`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from dockyard.adapters.k8s.api import KubeApi
from dockyard.adapters.k8s.manifests import PORT
from dockyard.adapters.k8s.refusals import TRANSIENT
from dockyard.adapters.scorer_answers import read_answer
from dockyard.domain.errors import UnavailableError
from dockyard.domain.image import Fingerprint
from dockyard.ports import Answer, Request

_PORTS = {"pods": str(PORT), "services": "http"}
_GATEWAY = frozenset({502, 503, 504})
_PAUSES_SECONDS = (0.25, 0.5)


class KubeScorer:
    """Sends requests by the API server's proxy; what an answer must be, `find_difference` knows."""

    def __init__(self, api: KubeApi, find_difference: Callable[[Fingerprint, object], str | None]) -> None:
        self._api = api
        self._find_difference = find_difference

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """Send a request to /invocations. Raises `scorer-unreachable`, `smoke-test-failed`."""
        kind, _, name = address.partition("/")
        path = f"/api/v1/namespaces/{self._api.namespace}/{kind}/{name}:{_PORTS[kind]}/proxy/invocations"
        status, body, seconds = self._send(path, request, timeout_seconds)
        message = _read_status(body) if status != 200 else None
        if message is not None:
            what = "nobody answers there" if status in _GATEWAY else message
            raise UnavailableError(
                "scorer-unreachable",
                f"{address} cannot be asked through the API server: {what}",
                hint="`dockyard status` and `dockyard logs` tell how it is; it needs the permission to proxy to it",
            )
        return read_answer(address, status, body, seconds)

    def _send(self, path: str, request: Request, timeout_seconds: float) -> tuple[int, bytes, float]:
        """Send it again where it was the API server that had no answer: a prediction may be asked for twice."""
        for pause in (*_PAUSES_SECONDS, None):
            started = time.monotonic()
            content = (request.body, request.content_type)
            try:
                status, body = self._api.send("POST", path, body=content, timeout_seconds=timeout_seconds)
            except UnavailableError:
                if pause is None:
                    raise
            else:
                if pause is None or status not in TRANSIENT or _read_status(body) is None:
                    return status, body, time.monotonic() - started
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """Where an answer differs from the one recorded at build time."""
        return self._find_difference(fingerprint, answer)


def _read_status(body: bytes) -> str | None:
    """What the API server itself says; None where the scorer has answered."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("kind") != "Status":
        return None
    return str(found.get("message", ""))[:500]
