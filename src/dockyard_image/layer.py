"""Making one layer: tar, two digests and compression in a single pass over the content.

Owns the pipeline. Must not know which files make a layer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from dockyard_image.blobs import Blobs, NewBlob
from dockyard_image.gzip_stream import GzipStream
from dockyard_image.progress import Counter

_CHUNK = 1 << 20  # fixed for ever: the compressed bytes depend on it


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerBlob:
    """A stored layer: the digest of what is stored, and of the tar stream inside (its diff id)."""

    digest: str
    diff_id: str
    size: int


def store_layer(tar: Iterable[bytes], blobs: Blobs, counter: Counter | None = None) -> LayerBlob:
    """Compress a tar stream into a blob. Reading and compressing overlap: both release the interpreter's lock."""
    diff = hashlib.sha256()
    with blobs.create() as blob, ThreadPoolExecutor(1) as worker:
        gzip, last = GzipStream(), None
        for chunk in _recut(tar):
            diff.update(chunk)
            _finish(last)
            last = worker.submit(_compress, gzip, blob, chunk)
            if counter:
                counter.advance(len(chunk))
        _finish(last)
        blob.write(gzip.finish())
    return LayerBlob(digest=blob.digest, diff_id="sha256:" + diff.hexdigest(), size=blob.size)


def _compress(gzip: GzipStream, blob: NewBlob, chunk: bytes) -> None:
    blob.write(gzip.compress(chunk))


def _finish(job: Future[None] | None) -> None:
    if job is not None:
        job.result()


def _recut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same stream in pieces of equal size."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= _CHUNK:
            yield bytes(waiting[:_CHUNK])
            del waiting[:_CHUNK]
    if waiting:
        yield bytes(waiting)
