"""InvokeEndpointWithResponseStream: an answer as the events that AWS's clients read it from.

Owns the event stream's binary form. The parts come one after the other once the container has given its whole answer; a real
endpoint sends each as it is made. https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

from dockyard_sandbox.routes import HttpResponse

_PART_BYTES = 64 * 1024
_STRING = 7
_EVENT = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}


def stream_answer(response: HttpResponse) -> HttpResponse:
    """The answer of InvokeEndpoint as a stream of PayloadPart events."""
    passed = {name: value for name, value in response.headers.items() if name != "Content-Type"}
    headers = {
        **passed,
        "Content-Type": "application/vnd.amazon.eventstream",
        "X-Amzn-SageMaker-Content-Type": response.headers["Content-Type"],
    }
    return HttpResponse(status=response.status, headers=headers, chunks=_encode_parts(response.body))


def _encode_parts(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PART_BYTES):
        yield encode_event(_EVENT, body[start : start + _PART_BYTES])


def encode_event(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: its lengths and their checksum, headers, payload, and the checksum of all."""
    described = b"".join(_encode_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 12 + len(described) + len(payload) + 4, len(described))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + described + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _encode_header(name: str, value: str) -> bytes:
    key, content = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(content)) + content
