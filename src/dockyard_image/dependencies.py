"""The layers that hold the locked dependencies: made once for a lock, then found again.

Owns what is remembered of them. Returns several layers in general, though today there is one; callers must not count on one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dockyard_image.blobs import Blobs
from dockyard_image.digest import digest_fields, hex_of
from dockyard_image.files import lock_file, write_atomically
from dockyard_image.gzip_stream import COMPRESSION
from dockyard_image.layer import LayerBlob, store_layer
from dockyard_image.lockfile import Lock
from dockyard_image.progress import Counter, Progress
from dockyard_image.tar_stream import stream_tar
from dockyard_image.wheel import open_wheels
from dockyard_image.wheels import WheelCache

_FORMAT = 1


class DependencyLayers:
    """Dependency layers of one store; `folder` remembers which lock gave which layers."""

    def __init__(self, blobs: Blobs, folder: Path, wheels: WheelCache) -> None:
        self._blobs = blobs
        self._folder = folder
        self._wheels = wheels

    def store(self, lock: Lock, site_packages: str, progress: Progress) -> Sequence[LayerBlob]:
        """The layers of a lock, from the store if they are there. Two processes do not make the same layers at once."""
        key = digest_fields({"format": _FORMAT, "compression": COMPRESSION, "lock": lock.digest, "at": site_packages})
        record = self._folder / f"{hex_of(key)}.json"
        with lock_file(record.with_suffix(".lock")):
            known = self._read(record)
            if known is not None:
                return known
            layers = self._make(lock, site_packages, progress)
            with write_atomically(record) as file:
                file.write(json.dumps([asdict(layer) for layer in layers]).encode())
            return layers

    def _make(self, lock: Lock, site_packages: str, progress: Progress) -> Sequence[LayerBlob]:
        files = self._wheels.fetch(lock, progress)
        with open_wheels([files[wheel] for wheel in lock.wheels], site_packages) as entries:
            counter = Counter("packing dependencies", sum(entry.size for entry in entries), progress)
            return [store_layer(stream_tar(entries), self._blobs, counter)]

    def _read(self, record: Path) -> Sequence[LayerBlob] | None:
        try:
            layers = [LayerBlob(**entry) for entry in json.loads(record.read_bytes())]
        except (OSError, ValueError, TypeError):
            return None
        return layers if all(self._blobs.has(layer.digest) for layer in layers) else None
