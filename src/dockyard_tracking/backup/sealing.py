"""Files that only who has the key can read, or change unnoticed: AES-256-GCM, in pieces of a mebibyte.

Owns the form of a sealed file and of a key. A file is a magic line, eight bytes that name the key, eight random bytes, and
the pieces; each piece's nonce is the random bytes and its number, and the last one is marked, so that none can be left out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dockyard_tracking.database import read_secret
from dockyard_tracking.errors import TrackingError

_MAGIC = b"dockyard sealed 1\n"
_NAME_BYTES = 8
_PIECE = 1 << 20
_TAG_BYTES = 16
_KEY_BYTES = 32


def read_key(file: Path) -> bytes:
    """The key in a file: 32 bytes in base64, as `openssl rand -base64 32` prints them."""
    try:
        key = base64.b64decode(read_secret(file), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise TrackingError("bad-setting", f"{file} must hold 32 bytes in base64, as `openssl rand -base64 32` makes them.")
    return key


def seal_file(source: Path, target: Path, key: bytes) -> None:
    """Write `source` to `target`, sealed."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, salt = AESGCM(key), os.urandom(8)
    with source.open("rb") as reading, target.open("wb") as writing:
        writing.write(_MAGIC + name_key(key) + salt)
        for number, piece, mark in _read_pieces(reading, _PIECE):
            writing.write(cipher.encrypt(salt + number, piece, mark))


def unseal_file(source: Path, target: Path, key: bytes, title: str) -> None:
    """Write what is in the sealed `source` to `target`. Raises TrackingError `backup-key-wrong`, `backup-damaged`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(key)
    with source.open("rb") as reading, target.open("wb") as writing:
        if reading.read(len(_MAGIC)) != _MAGIC or reading.read(_NAME_BYTES) != name_key(key):
            raise TrackingError("backup-key-wrong", f"{title} was not sealed with this key.")
        salt = reading.read(8)
        try:
            for number, piece, mark in _read_pieces(reading, _PIECE + _TAG_BYTES):
                writing.write(cipher.decrypt(salt + number, piece, mark))
        except InvalidTag as error:
            raise TrackingError("backup-damaged", f"{title} was changed or cut off since it was sealed.") from error


def name_key(key: bytes) -> bytes:
    """What tells one key from another, and nothing about it."""
    return hashlib.sha256(b"dockyard backup key" + key).digest()[:_NAME_BYTES]


def _read_pieces(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Each piece with its number and the mark of whether it is the last; an empty file has one empty piece."""
    number, piece = 0, stream.read(size)
    while True:
        following = stream.read(size)
        yield number.to_bytes(4, "big"), piece, b"more" if following else b"last"
        if not following:
            return
        number, piece = number + 1, following
