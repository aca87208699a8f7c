"""What botocore and the SDK for Go write in CBOR is read as it was; what is written is read back as it was."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from botocore.serialize import CBORSerializer, create_serializer
from botocore.session import Session

from dockyard_sandbox.cbor import decode_cbor, encode_cbor

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
        (bytes.fromhex("bf6a416c61726d4e616d65739f61616162ffff"), {"AlarmNames": ["a", "b"]}),
        (b"\x7f\x62ab\x61c\xff", "abc"),
        (b"\x5f\x42ab\x41c\xff", b"abc"),
        (b"\xbf\x61a\xf6\xff", {"a": None}),
    ],
)
def test_values_of_other_kinds_are_read(content: bytes, value: object) -> None:
    assert decode_cbor(content) == value


@pytest.mark.parametrize("content", [b"", b"\x61", b"\x82\x01", b"\x9f\x01", b"\x1c", b"\xdf\x01\xff", b"\xff", b"\xf8\x01"])
def test_content_that_is_cut_off_or_unknown_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|unknown length|simple"):
        decode_cbor(content)


@pytest.mark.parametrize(
    "value",
    [0, 23, 24, 255, 256, 70_000, 2**40, -1, -500, 1.5, "", "ü" * 300, b"\x00" * 30, None, True, [1, [2]], {"a": {"b": []}}],
)
def test_what_is_written_is_read_back(value: object) -> None:
    assert decode_cbor(encode_cbor(value)) == value


def test_time_is_written_as_seconds_with_their_tag() -> None:
    written = encode_cbor(datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=timezone.utc))
    assert (written[0], decode_cbor(written)) == (0xC1, 1767225600.5)


def test_what_no_service_says_is_not_written() -> None:
    with pytest.raises(TypeError, match="set is nothing"):
        encode_cbor({1})
