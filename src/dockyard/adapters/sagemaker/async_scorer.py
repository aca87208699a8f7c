"""Owns invoking an asynchronous endpoint: the request waits in a queue, its answer is fetched from S3, and nothing stays there.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-invoke-endpoint.html
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dockyard.adapters.sagemaker.errors import translated, unless_missing
from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.errors import UnavailableError, UnhealthyError
from dockyard.ports import Request

REQUESTS = "dockyard-requests"
"""The folder, below the endpoint's own output, that large requests wait in."""
_INLINE_BYTES = 128_000
_WARM_SECONDS = 120.0
_COLD_SECONDS = 900.0
"""How long an answer may take where no instance runs yet."""
_SHORTEST_TTL, _LONGEST_INVOCATION = 60, 3600
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 0.05, 2.0
_STATUS = re.compile(r"error \((\d{3})\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What an asynchronous endpoint says about itself."""

    endpoint: str
    output: str
    """S3 URI that answers are written below."""
    kms_key: str | None = None
    is_asleep: bool = False
    """Whether it has no instance at the moment."""


def read_queue(found: Mapping[str, Any]) -> Queue | None:
    """What DescribeEndpoint says of an asynchronous endpoint; None where it is none."""
    output = (found.get("AsyncInferenceConfig") or {}).get("OutputConfig")
    if output is None:
        return None
    counts = [int(one.get("CurrentInstanceCount", 1)) for one in found.get("ProductionVariants") or []]
    return Queue(
        endpoint=str(found["EndpointName"]),
        output=str(output.get("S3OutputPath", "")).rstrip("/"),
        kms_key=output.get("KmsKeyId"),
        is_asleep=bool(counts) and not any(counts),
    )


class AsyncScorer:
    """Sends requests to asynchronous endpoints, and waits for what comes of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def invoke(self, queue: Queue, request: Request, timeout_seconds: float) -> tuple[bytes, float]:
        """Return the answer and how long it took, in seconds.

        Raises UnhealthyError `smoke-test-failed` for a request that failed, UnavailableError `scorer-unreachable` where no
        answer comes. Objects that were made for the request are deleted.
        """
        longest = max(timeout_seconds, _COLD_SECONDS if queue.is_asleep else _WARM_SECONDS)
        with self._hand_in(queue, request) as body:
            started = time.monotonic()
            with translated("sagemaker:InvokeEndpointAsync"):
                accepted = self._session.client("sagemaker-runtime").invoke_endpoint_async(
                    EndpointName=queue.endpoint,
                    ContentType=request.content_type,
                    Accept="application/json",
                    RequestTTLSeconds=max(int(longest), _SHORTEST_TTL),
                    InvocationTimeoutSeconds=min(int(longest), _LONGEST_INVOCATION),
                    **body,
                )
            places = (str(accepted["OutputLocation"]), str(accepted.get("FailureLocation") or ""))
            try:
                answer = self._await(queue.endpoint, places, longest)
                return answer, time.monotonic() - started
            finally:
                self._delete(*places)

    @contextmanager
    def _hand_in(self, queue: Queue, request: Request) -> Iterator[dict[str, object]]:
        """How a request's body is given: with the request, or as an object that is there for so long."""
        client = self._session.client("sagemaker-runtime")
        members = client.meta.service_model.operation_model("InvokeEndpointAsync").input_shape.members
        if "Body" in members and 0 < len(request.body) <= _INLINE_BYTES:
            yield {"Body": request.body}
            return
        place = f"{queue.output}/{REQUESTS}/{uuid.uuid4()}"
        bucket, key = _split(place)
        extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": queue.kms_key} if queue.kms_key else {}
        try:
            with translated("s3:PutObject"):
                self._session.client("s3").put_object(
                    Bucket=bucket, Key=key, Body=request.body, ContentType=request.content_type, **extra
                )
            yield {"InputLocation": place}
        finally:
            self._delete(place)

    def _await(self, endpoint: str, places: tuple[str, str], seconds: float) -> bytes:
        output, failure = places
        end, pause = time.monotonic() + seconds, _FIRST_PAUSE_SECONDS
        while True:
            answer = self._read(output)
            if answer is not None:
                return answer
            told = self._read(failure) if failure else None
            if told is not None:
                raise _explain(endpoint, told)
            if time.monotonic() >= end:
                raise UnavailableError(
                    "scorer-unreachable",
                    f"asynchronous endpoint {endpoint} has written no answer after {seconds:.0f} s",
                    hint="`asynchronous.failures` tells of requests that fail; `dockyard logs` shows what its container said",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _LAST_PAUSE_SECONDS)

    def _read(self, place: str) -> bytes | None:
        client, (bucket, key) = self._session.client("s3"), _split(place)
        return unless_missing("s3:GetObject", lambda: bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read()))

    def _delete(self, *places: str) -> None:
        """Deleting what is not there is no error on S3; a refusal must not hide an answer, or why there is none."""
        from botocore.exceptions import BotoCoreError, ClientError

        for bucket, key in (_split(place) for place in places if place):
            try:
                self._session.client("s3").delete_object(Bucket=bucket, Key=key)
            except (BotoCoreError, ClientError):
                continue


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def _explain(endpoint: str, told: bytes) -> UnhealthyError:
    """The message may quote the request, so only the status is taken from it."""
    status = _STATUS.search(told.decode("utf-8", "replace"))
    return UnhealthyError(
        "smoke-test-failed",
        f"endpoint {endpoint} answered with status {status[1]}"
        if status
        else f"endpoint {endpoint} did not carry the request out",
        hint="`dockyard logs` shows what its container said",
    )
