"""Data capture: requests and answers of an endpoint, sampled, on their way into S3 as JSON lines.

Owns the form of a line and what waits to be written: it is brought to S3 before a client's request for objects is answered.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone

from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.s3_uris import split_uri
from dockyard_sandbox.serving import ServingEndpoint
from dockyard_sandbox.traffic import Draw

_KEPT_LINES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One side of an exchange."""

    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedExchange:
    """A request that was answered well, and its answer."""

    endpoint: ServingEndpoint
    variant: str
    request: Payload
    answer: Payload
    inference_id: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    region: str
    uri: str


class DataCapture:
    """Captures what endpoints' configurations ask for."""

    def __init__(self, aws: Aws, draw: Draw) -> None:
        self._aws = aws
        self._draw = draw
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: dict[_Place, list[bytes]] = defaultdict(list)

    def take(self, exchange: CapturedExchange) -> None:
        """Keep an exchange, if its endpoint's configuration says so and it is drawn."""
        config = exchange.endpoint.config.child("DataCaptureConfig")
        if not config.flag("EnableCapture") or self._draw() * 100 >= config.whole("InitialSamplingPercentage"):
            return
        now = datetime.now(timezone.utc)
        folder = f"{exchange.endpoint.name}/{exchange.variant}/{now:%Y/%m/%d/%H}"
        place = _Place(exchange.endpoint.region, f"{config.text('DestinationS3Uri').rstrip('/')}/{folder}")
        line = json.dumps(describe_exchange(exchange, config, now)).encode() + b"\n"
        with self._lock:
            if len(self._waiting[place]) < _KEPT_LINES:
                self._waiting[place].append(line)

    def flush(self, _region: str = "") -> None:
        """Write everything to S3."""
        with self._flushing:
            with self._lock:
                waiting, self._waiting = self._waiting, defaultdict(list)
            for place, lines in waiting.items():
                name = f"{datetime.now(timezone.utc):%M-%S-%f}-{uuid.uuid4()}.jsonl"
                with suppress(AwsError, ValueError):  # a bucket that is not there gets nothing in AWS, either
                    bucket, key = split_uri(f"{place.uri}/{name}")
                    self._aws.call("s3", place.region, "put_object", Bucket=bucket, Key=key, Body=b"".join(lines))


def describe_exchange(exchange: CapturedExchange, config: Fields, now: datetime) -> dict[str, object]:
    """The line for an exchange."""
    modes = {option.text("CaptureMode") for option in config.items_of("CaptureOptions")}
    headers = config.child("CaptureContentTypeHeader")
    data: dict[str, object] = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _describe(exchange.request, "INPUT", headers)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _describe(exchange.answer, "OUTPUT", headers)
    moment = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    about = {"eventId": str(uuid.uuid4()), "inferenceTime": moment}
    about |= {"inferenceId": exchange.inference_id} if exchange.inference_id else {}
    return {"captureData": data, "eventMetadata": about, "eventVersion": "0"}


def _describe(payload: Payload, mode: str, headers: Fields) -> dict[str, str]:
    kind = payload.content_type.partition(";")[0].strip()
    encoding = "BASE64"
    for name, types in (("CSV", headers.texts("CsvContentTypes")), ("JSON", headers.texts("JsonContentTypes"))):
        encoding = name if kind in types else encoding
    is_text = encoding != "BASE64"
    data = payload.body.decode("utf-8", "replace") if is_text else base64.b64encode(payload.body).decode()
    return {"observedContentType": payload.content_type, "mode": mode, "data": data, "encoding": encoding}
