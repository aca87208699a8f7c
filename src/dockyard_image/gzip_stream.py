"""Compressing a layer: the same bytes in give the same bytes out, on every machine.

Owns the compressor, its level and its name. zlib is not used: its output differs between builds of the library (several
systems ship zlib-ng under its name). ISA-L comes with its Python package; its levels 0 to 2 were measured to give equal bytes
on different processors, its level 3 was not.
"""

from __future__ import annotations

import struct

import isal
from isal import isal_zlib

_LEVEL = 1
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no name, no time, unknown system
_RAW = -15

COMPRESSION = f"isal-{isal.ISAL_VERSION}-level-{_LEVEL}"
"""What decides the compressed bytes; part of the key of every cached layer."""


class GzipStream:
    """One gzip member. The output depends on how the input is cut, so callers must always cut it alike."""

    def __init__(self) -> None:
        self._deflate = isal_zlib.compressobj(level=_LEVEL, wbits=_RAW)
        self._checksum = 0
        self._size = 0
        self._head = _HEADER

    def compress(self, chunk: bytes) -> bytes:
        """The next compressed bytes; may be empty."""
        self._checksum = isal_zlib.crc32(chunk, self._checksum)
        self._size += len(chunk)
        head, self._head = self._head, b""
        return head + self._deflate.compress(chunk)

    def finish(self) -> bytes:
        """The last compressed bytes."""
        trailer = struct.pack("<II", self._checksum & 0xFFFFFFFF, self._size & 0xFFFFFFFF)
        return self._head + self._deflate.flush() + trailer
