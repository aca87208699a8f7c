"""What botocore writes in CBOR is read back as it was."""

from __future__ import annotations

import pytest
from botocore.serialize import CBORSerializer, create_serializer
from botocore.session import Session

from dockyard_sandbox.cbor import decode_cbor

MODEL = Session().get_service_model("cloudwatch")


def write(operation: str, body: dict[str, object]) -> bytes:
    """The body of botocore's request."""
    serializer = create_serializer("smithy-rpc-v2-cbor", include_validation=False)
    assert isinstance(serializer, CBORSerializer)
    content = serializer.serialize_to_request(body, MODEL.operation_model(operation))["body"]
    assert isinstance(content, bytes)
    return content


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("DeleteAlarms", {"AlarmNames": ["a", "ü" * 300]}),
        (
            "PutMetricAlarm",
            {"AlarmName": "a", "ActionsEnabled": True, "Threshold": 1.5, "Period": 60, "EvaluationPeriods": 70_000},
        ),
        ("SetAlarmState", {"AlarmName": "a", "StateValue": "OK", "StateReason": ""}),
    ],
)
def test_request_of_botocore_is_read_as_it_was_written(operation: str, body: dict[str, object]) -> None:
    assert decode_cbor(write(operation, body)) == body


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"\x20", -1),
        (b"\x43abc", b"abc"),
        (b"\xc1\x1a\x00\x00\x00\x05", 5),
        (b"\xf6", None),
        (b"\xf9\x3c\x00", 1.0),
        (b"\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5),
        (b"\x1b\x00\x00\x00\x01\x00\x00\x00\x00", 2**32),
    ],
)
def test_values_of_other_kinds_are_read(content: bytes, value: object) -> None:
    assert decode_cbor(content) == value


@pytest.mark.parametrize("content", [b"", b"\x61", b"\x82\x01", b"\x9f\x01\xff", b"\xf8\x01"])
def test_content_that_is_cut_off_or_unknown_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|indefinite|simple"):
        decode_cbor(content)
