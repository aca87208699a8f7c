"""Exchanges are captured as an endpoint's configuration asks, in the form that Model Monitor reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import pytest

from dockyard_sandbox.aws import Aws
from dockyard_sandbox.capture import CapturedExchange, DataCapture, Payload, describe_exchange
from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.serving import ServingEndpoint

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)


def exchange(config: Fields) -> CapturedExchange:
    endpoint = ServingEndpoint(
        name="wine",
        arn="arn",
        region="us-east-1",
        status="InService",
        config_name="c1",
        config=Fields({"DataCaptureConfig": config.plain()}),
        variants=(),
    )
    return CapturedExchange(
        endpoint=endpoint,
        variant="AllTraffic",
        request=Payload(content_type="text/csv; charset=utf-8", body=b"1,2\n"),
        answer=Payload(content_type="application/json", body=b"[3]"),
    )


def config(*modes: str, percent: int = 100, enabled: bool = True, **headers: Sequence[str]) -> Fields:
    return Fields(
        {
            "EnableCapture": enabled,
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri": "s3://bucket/captured/",
            "CaptureOptions": [{"CaptureMode": mode} for mode in modes],
            "CaptureContentTypeHeader": {name: list(types) for name, types in headers.items()},
        }
    )


def test_texts_are_captured_as_such_and_the_rest_as_base64() -> None:
    chosen = config("Input", "Output", CsvContentTypes=["text/csv"])
    told = as_fields(describe_exchange(exchange(chosen), chosen, NOW))
    assert told.child("captureData").plain() == {
        "endpointInput": {
            "observedContentType": "text/csv; charset=utf-8",
            "mode": "INPUT",
            "data": "1,2\n",
            "encoding": "CSV",
        },
        "endpointOutput": {"observedContentType": "application/json", "mode": "OUTPUT", "data": "WzNd", "encoding": "BASE64"},
    }
    assert told.child("eventMetadata").text("inferenceTime") == "2026-03-04T05:06:07Z"
    assert (told.text("eventVersion"), "inferenceId" in told.child("eventMetadata")) == ("0", False)


@pytest.mark.parametrize(
    ("mode", "sides"),
    [("Input", ["endpointInput"]), ("Output", ["endpointOutput"]), ("InputAndOutput", ["endpointInput", "endpointOutput"])],
)
def test_only_the_sides_that_were_asked_for_are_captured(mode: str, sides: list[str]) -> None:
    told = as_fields(describe_exchange(exchange(config(mode)), config(mode), NOW))
    assert sorted(told.child("captureData")) == sides


@pytest.mark.parametrize(
    ("chosen", "drawn", "is_kept"),
    [
        (config("Input", percent=50), 0.49, True),
        (config("Input", percent=50), 0.5, False),
        (config("Input", percent=0), 0.0, False),
        (config("Input", enabled=False), 0.0, False),
        (Fields({}), 0.0, False),
    ],
)
def test_sample_is_drawn(chosen: Fields, drawn: float, is_kept: bool) -> None:
    def nobody() -> str:
        raise AssertionError("nothing is to be written")

    capture = DataCapture(Aws(nobody), lambda: drawn)
    capture.take(exchange(chosen))
    if is_kept:
        with pytest.raises(AssertionError, match="nothing is to be written"):
            capture.flush()
    else:
        capture.flush()
