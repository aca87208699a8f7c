"""Streams of answers, read by botocore's own decoder, which checks every length and checksum."""

from __future__ import annotations

import pytest
from botocore.eventstream import EventStreamBuffer

from dockyard_sandbox.response_stream import stream_answer
from dockyard_sandbox.routes import HttpResponse


@pytest.mark.parametrize(("size", "parts"), [(0, 0), (1, 1), (65_536, 1), (65_537, 2), (200_000, 4)])
def test_answer_of_any_size_comes_back_whole(size: int, parts: int) -> None:
    body = bytes(number % 251 for number in range(size))
    streamed = stream_answer(HttpResponse(headers={"Content-Type": "text/csv", "x-amzn-RequestId": "1"}, body=body))
    buffer = EventStreamBuffer()
    assert streamed.chunks is not None
    for chunk in streamed.chunks:
        buffer.add_data(chunk)
    events = list(buffer)
    assert len(events) == parts
    assert {event.headers[":event-type"] for event in events} <= {"PayloadPart"}
    assert b"".join(event.payload for event in events) == body


def test_clients_are_told_both_types_of_content() -> None:
    streamed = stream_answer(HttpResponse(headers={"Content-Type": "text/csv", "x-amzn-RequestId": "1"}, body=b"1"))
    assert dict(streamed.headers) == {
        "Content-Type": "application/vnd.amazon.eventstream",
        "X-Amzn-SageMaker-Content-Type": "text/csv",
        "x-amzn-RequestId": "1",
    }
