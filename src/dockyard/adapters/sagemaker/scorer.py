"""Owns invoking an endpoint the way its clients do, through SageMaker's runtime. Addresses are names of endpoints.

An asynchronous one takes no other requests than asynchronous ones; the endpoint itself says which it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from dockyard.adapters.sagemaker.async_scorer import AsyncScorer, read_queue
from dockyard.adapters.sagemaker.errors import is_missing, read_code, read_message, translated
from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.errors import DockyardError, UnavailableError, UnhealthyError
from dockyard.domain.image import Fingerprint
from dockyard.ports import Answer, Request

_COLD_SECONDS = 120.0
_PAUSE_SECONDS = 1.0
_NO_COPY = "has no capacity to process this request"


class SageMakerScorer:
    """Sends requests to endpoints; what an answer must be, `find_difference` knows."""

    def __init__(self, session: Session, find_difference: Callable[[Fingerprint, object], str | None]) -> None:
        self._session = session
        self._find_difference = find_difference

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """Send a request. Raises `scorer-unreachable`, `smoke-test-failed`.

        Serverless capacity may be cold: the service says so, and is asked again for as long as a start may take.
        """
        from botocore.exceptions import ClientError

        started = time.monotonic()
        end = started + max(timeout_seconds, _COLD_SECONDS)
        while True:
            try:
                answer, seconds = self._ask(address, request, timeout_seconds)
                return Answer(value=json.loads(answer), seconds=seconds)
            except DockyardError as error:
                cause = error.__cause__
                if not isinstance(cause, ClientError):
                    raise
                if read_code(cause) == "ModelNotReadyException" and time.monotonic() < end:
                    time.sleep(_PAUSE_SECONDS)
                    continue
                raise _explain(address, cause, error) from cause

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """Where an answer differs from the one recorded at build time."""
        return self._find_difference(fingerprint, answer)

    def _ask(self, name: str, request: Request, timeout_seconds: float) -> tuple[bytes, float]:
        """The answer, and how long it took."""
        with translated("sagemaker:DescribeEndpoint"):
            found = self._session.client("sagemaker").describe_endpoint(EndpointName=name)
        queue = read_queue(found)
        if queue is not None:
            return AsyncScorer(self._session).invoke(queue, request, timeout_seconds)
        call = self._session.client("sagemaker-runtime").invoke_endpoint
        with translated("sagemaker:InvokeEndpoint"):
            sent = time.monotonic()
            whom = {"EndpointName": name, **({"InferenceComponentName": name} if _is_host(found) else {})}
            answer = call(**whom, Body=request.body, ContentType=request.content_type, Accept="application/json")
            return bytes(answer["Body"].read()), time.monotonic() - sent


def _is_host(found: Mapping[str, Any]) -> bool:
    """Whether an endpoint has instances for an inference component, which is called as the endpoint."""
    return any("ManagedInstanceScaling" in variant for variant in found.get("ProductionVariants") or [])


def _explain(address: str, cause: Exception, error: DockyardError) -> DockyardError:
    if read_code(cause) == "ModelError":
        status = getattr(cause, "response", {}).get("OriginalStatusCode", "")
        return UnhealthyError(
            "smoke-test-failed",
            f"endpoint {address} answered with status {status}",
            hint="`dockyard logs` shows what its container said",
        )
    if _NO_COPY in read_message(cause):
        hint = "a request that finds no copy brings one back where scaling starts at 0: ask again in some minutes"
        return UnavailableError("scorer-unreachable", f"inference component {address} has no copy now", hint=hint)
    if is_missing(cause) or "not found" in read_message(cause):
        return UnavailableError("scorer-unreachable", f"there is no endpoint {address} that answers", hint="`dockyard status`")
    return error
