"""Owns the Scorer port over HTTP: readiness, requests, and the comparison with the proof that an image carries.

Addresses are `host:port` on this machine.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import cast

from dockyard.adapters.scorer_answers import read_answer
from dockyard.domain.errors import UnavailableError
from dockyard.domain.image import Fingerprint
from dockyard.ports import Answer, Request
from dockyard_scorer.proof import JsonValue, Proof, find_difference

_POLL_SECONDS = 0.05
_LOOK_SECONDS = 1.0


class HttpScorer:
    """Speaks to scorers, and to the forwarder in front of one, over plain HTTP."""

    def __init__(self, read_proof: Callable[[Fingerprint], Proof | None]) -> None:
        """`read_proof` gives what the image of a fingerprint was proved with, or None."""
        self._read_proof = read_proof

    def wait_ready(self, address: str, timeout_seconds: float) -> bool:
        """Wait until it says that it is ready; False when the time is up. Looks at least once."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            remaining = deadline - time.monotonic()
            if is_ready(address, min(max(remaining, _POLL_SECONDS), _LOOK_SECONDS)):
                return True
            if time.monotonic() + _POLL_SECONDS >= deadline:
                return False
            time.sleep(_POLL_SECONDS)

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """Send a request to /invocations. Raises `scorer-unreachable`, `smoke-test-failed` for other statuses than 200."""
        headers = {"Content-Type": request.content_type, "Accept": "application/json"}
        started = time.monotonic()
        try:
            status, body = _fetch(address, ("POST", "/invocations", request.body, headers), timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(
                "scorer-unreachable",
                f"the scorer at {address} does not answer ({type(error).__name__})",
                hint="`dockyard status` and `dockyard logs` tell how it is",
            ) from error
        return read_answer(f"the scorer at {address}", status, body, time.monotonic() - started)

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """Where an answer differs from the one recorded at build time, as a path; never the values."""
        proof = self._read_proof(fingerprint)
        if proof is None:
            return None
        return find_difference(proof.answer, cast("JsonValue", answer), deterministic=proof.deterministic)


def is_ready(address: str, timeout_seconds: float) -> bool:
    """Whether the scorer at `host:port` says, within the time, that it is ready."""
    try:
        status, _ = _fetch(address, ("GET", "/ready", None, {}), timeout_seconds)
    except (OSError, http.client.HTTPException):
        return False
    return status == 200


def _fetch(address: str, what: tuple[str, str, bytes | None, dict[str, str]], timeout_seconds: float) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=timeout_seconds)
    try:
        method, path, body, headers = what
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
