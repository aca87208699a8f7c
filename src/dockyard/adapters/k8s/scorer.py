"""Owns requests to pods and Services through the API server, so that no port is opened.

Addresses are `pods/NAME` and `services/NAME`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from dockyard.adapters.k8s.api import KubeApi
from dockyard.adapters.k8s.manifests import PORT
from dockyard.domain.errors import UnavailableError, UnhealthyError
from dockyard.domain.image import Fingerprint
from dockyard.ports import Answer, Request

_PORTS = {"pods": str(PORT), "services": "http"}
_GATEWAY = frozenset({502, 503, 504})


class KubeScorer:
    """Sends requests by the API server's proxy; what an answer must be, `find_difference` knows."""

    def __init__(self, api: KubeApi, find_difference: Callable[[Fingerprint, object], str | None]) -> None:
        self._api = api
        self._find_difference = find_difference

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """Send a request to /invocations. Raises `scorer-unreachable`, `smoke-test-failed`."""
        kind, _, name = address.partition("/")
        path = f"/api/v1/namespaces/{self._api.namespace}/{kind}/{name}:{_PORTS[kind]}/proxy/invocations"
        started = time.monotonic()
        status, body = self._api.send("POST", path, body=(request.body, request.content_type), timeout_seconds=timeout_seconds)
        seconds = time.monotonic() - started
        if status == 200:
            return _read(address, body, seconds)
        message = _read_status(body)
        if message is not None:
            what = "nobody answers there" if status in _GATEWAY else message
            raise UnavailableError(
                "scorer-unreachable",
                f"{address} cannot be asked through the API server: {what}",
                hint="`dockyard status` and `dockyard logs` tell how it is; it needs the permission to proxy to it",
            )
        raise _refused(address, f"answered {status}{_read_error(body)}")

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """Where an answer differs from the one recorded at build time."""
        return self._find_difference(fingerprint, answer)


def _read(address: str, body: bytes, seconds: float) -> Answer:
    try:
        return Answer(value=json.loads(body), seconds=seconds)
    except ValueError:
        raise _refused(address, "answered something that is not JSON") from None


def _read_status(body: bytes) -> str | None:
    """What the API server itself says; None where the scorer has answered."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("kind") != "Status":
        return None
    return str(found.get("message", ""))[:500]


def _read_error(body: bytes) -> str:
    """The error's code and text, which the scorer writes without a word of the payload; nothing of anybody else's."""
    try:
        fields = json.loads(body)
        return f" ({fields['error_code']}: {fields['message']})"[:500]
    except (ValueError, KeyError, TypeError):
        return ""


def _refused(address: str, what: str) -> UnhealthyError:
    return UnhealthyError("smoke-test-failed", f"{address} {what}", hint="`dockyard logs` shows what the model says")
