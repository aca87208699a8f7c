"""Fetching one large thing by its digest: resumed when it breaks off, kept only when it is right.

Owns the partial file and its verification. Must not know whether a wheel or a layer is fetched.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dockyard_image.digest import hex_of
from dockyard_image.files import lock_file
from dockyard_image.retry import TransientError

_READ = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunks:
    """What a source sends: `offset` is where its first byte belongs, 0 when the source cannot resume."""

    offset: int
    data: Iterable[bytes]


def download(target: Path, digest: str, open_at: Callable[[int], Chunks], advance: Callable[[int], None]) -> None:
    """Make `target` hold the content named by `digest`; `open_at(n)` starts the source at byte n where it can.

    What has been received stays in a partial file, so the next call goes on from there, in this process or another.
    `advance` is told how many bytes each step added (a negative number when a source starts over).
    Raises TransientError when the source breaks off or sends something else: try again.
    """
    with lock_file(target.with_name(target.name + ".lock")):
        if target.exists():
            return
        partial = target.with_name(target.name + ".part")
        hasher, have = _hash_partial(partial)
        with partial.open("ab") as file:
            chunks = open_at(have)
            if chunks.offset != have:
                advance(-have)
                file.truncate(0)
                hasher = hashlib.sha256()
            for chunk in chunks.data:
                file.write(chunk)
                hasher.update(chunk)
                advance(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        if hasher.hexdigest() != hex_of(digest):
            partial.unlink()
            raise TransientError("the content does not have the promised digest")
        partial.replace(target)


def _hash_partial(partial: Path) -> tuple[hashlib._Hash, int]:
    hasher, size = hashlib.sha256(), 0
    if partial.exists():
        with partial.open("rb") as file:
            while chunk := file.read(_READ):
                hasher.update(chunk)
                size += len(chunk)
    return hasher, size
