"""Reads CBOR, in which CloudWatch's clients speak: enough to see what a call is about.

Owns decoding of definite lengths. Must not be used for answers. https://www.rfc-editor.org/rfc/rfc8949
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from io import BytesIO

_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {2: ">e", 4: ">f", 8: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def decode_cbor(content: bytes) -> object:
    """The value. Raises ValueError for what is cut off or of a kind that no client here sends."""
    return _decode(BytesIO(content))


def _decode(stream: BytesIO) -> object:
    (first,) = _take(stream, 1)
    major, low = first >> 5, first & 0x1F
    if major == 7:
        return _decode_simple(stream, low)
    return _DECODERS[major](stream, _decode_length(stream, low))


def _decode_length(stream: BytesIO, low: int) -> int:
    if low < 24:
        return low
    if low not in _SIZES:
        raise ValueError("an indefinite length")
    return int.from_bytes(_take(stream, _SIZES[low]), "big")


def _decode_simple(stream: BytesIO, low: int) -> object:
    if low in _SIMPLE:
        return _SIMPLE[low]
    size = _SIZES.get(low, 0)
    if size not in _FLOATS:
        raise ValueError(f"simple value {low}")
    number: float = struct.unpack(_FLOATS[size], _take(stream, size))[0]
    return number


def _decode_map(stream: BytesIO, count: int) -> dict[str, object]:
    return {str(_decode(stream)): _decode(stream) for _ in range(count)}


def _take(stream: BytesIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise ValueError("the content is cut off")
    return content


_DECODERS: Mapping[int, Callable[[BytesIO, int], object]] = {
    0: lambda _stream, number: number,
    1: lambda _stream, number: -1 - number,
    2: _take,
    3: lambda stream, size: _take(stream, size).decode(),
    4: lambda stream, count: [_decode(stream) for _ in range(count)],
    5: _decode_map,
    6: lambda stream, _tag: _decode(stream),
}
