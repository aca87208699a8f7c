"""Reads and writes CBOR, in which CloudWatch's clients speak.

Owns both directions of what such clients send and expect. Must not know shapes: `cbor_bridge` does.
https://www.rfc-editor.org/rfc/rfc8949
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from io import BytesIO

_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {2: ">e", 4: ">f", 8: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_OPEN = 31
_BREAK = 0xFF
_CONSTANTS: Mapping[object, bytes] = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}
_EPOCH_SECONDS = b"\xc1"  # the tag of a time


def decode_cbor(content: bytes) -> object:
    """The value; a time is its seconds since 1970. Raises ValueError for what is cut off or of a kind that no client sends."""
    return _decode(BytesIO(content))


def encode_cbor(value: object) -> bytes:
    """The value in CBOR: what JSON has, bytes, and times. Raises TypeError for anything else."""
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, int):
        return _encode_head(0, value) if value >= 0 else _encode_head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, datetime):
        return _EPOCH_SECONDS + encode_cbor(value.timestamp())
    return _encode_sized(value)


def _encode_sized(value: object) -> bytes:
    if isinstance(value, bytes):
        return _encode_head(2, len(value)) + value
    if isinstance(value, str):
        content = value.encode()
        return _encode_head(3, len(content)) + content
    if isinstance(value, list):
        return _encode_head(4, len(value)) + b"".join(map(encode_cbor, value))
    if isinstance(value, Mapping):
        return _encode_head(5, len(value)) + b"".join(encode_cbor(one) for entry in value.items() for one in entry)
    raise TypeError(f"{type(value).__name__} is nothing that is written in CBOR")


def _encode_head(major: int, number: int) -> bytes:
    if number < min(_SIZES):
        return bytes([major << 5 | number])
    low, size = next((low, size) for low, size in _SIZES.items() if number < 1 << 8 * size)
    return bytes([major << 5 | low]) + number.to_bytes(size, "big")


def _decode(stream: BytesIO) -> object:
    return _decode_from(stream, _take(stream, 1)[0])


def _decode_from(stream: BytesIO, first: int) -> object:
    major, low = first >> 5, first & 0x1F
    if major == 7:
        return _decode_simple(stream, low)
    if low == _OPEN and major in _OPEN_DECODERS:
        return _OPEN_DECODERS[major](_decode_until_break(stream))
    return _DECODERS[major](stream, _decode_length(stream, low))


def _decode_until_break(stream: BytesIO) -> Iterator[object]:
    """The items of what did not say how many it has."""
    while (first := _take(stream, 1)[0]) != _BREAK:
        yield _decode_from(stream, first)


def _decode_length(stream: BytesIO, low: int) -> int:
    if low < min(_SIZES):
        return low
    if low not in _SIZES:
        raise ValueError(f"an unknown length: {low}")
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


def _join_bytes(chunks: Iterator[object]) -> bytes:
    return b"".join(chunk for chunk in chunks if isinstance(chunk, bytes))


def _pair(items: Iterator[object]) -> dict[str, object]:
    return {str(key): next(items, None) for key in items}


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
_OPEN_DECODERS: Mapping[int, Callable[[Iterator[object]], object]] = {
    2: _join_bytes,
    3: lambda chunks: "".join(map(str, chunks)),
    4: list,
    5: _pair,
}
