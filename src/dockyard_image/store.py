"""The image store: one OCI image layout on disk, for any number of processes at once.

Owns which images are listed, and what may be deleted. Building, sending and archives work on it from outside. A killed process
leaves at most unlisted blobs and partial files; `collect_garbage` removes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from dockyard_image.archive_read import read_docker_archive
from dockyard_image.archive_write import write_docker_archive
from dockyard_image.blobs import Blobs
from dockyard_image.errors import StoreError
from dockyard_image.files import lock_file
from dockyard_image.image import BASE, FINGERPRINT, PUSHED, REF_NAME, StoredImage, StoredLayer, read_image
from dockyard_image.index import Index, IndexEntry
from dockyard_image.manifest import Descriptor, decode_manifest
from dockyard_image.media import Dialect, media_types
from dockyard_image.unpack import find_file, remove_unpacked, unpack_layer

_GARBAGE_WAIT_SECONDS = 60.0
_PUSHES_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a garbage collection removed."""

    images: int
    blobs: int
    bytes: int


class ImageStore:
    """Images in a folder, which is made when the first image comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.blobs = Blobs(path)
        self._index = Index(path)

    def hold(self) -> AbstractContextManager[None]:
        """Keeps garbage collection away while blobs are used that no listed image refers to yet. May be nested."""
        return lock_file(self.path / "store.lock", shared=True)

    def find(self, fingerprint: str) -> StoredImage | None:
        """The listed image with a fingerprint, or None."""
        listed = (entry for entry in self._index.read() if entry.annotation(FINGERPRINT) == fingerprint)
        return next((self._describe(entry) for entry in listed if self._is_whole(entry)), None)

    def load(self, digest: str) -> StoredImage:
        """The image with a manifest digest, listed or not. Raises StoreError, code `blob-missing`."""
        for entry in self._index.read():
            if entry.descriptor.digest == digest:
                return self._describe(entry)
        return read_image(self.blobs, digest)

    def list(self) -> tuple[StoredImage, ...]:
        """Every listed image, oldest first."""
        return tuple(self._describe(entry) for entry in self._index.read() if self._is_whole(entry))

    def add(self, image: StoredImage, *, fingerprint: str = "", name: str = "") -> StoredImage:
        """List an image. From now on it can be found and is kept.

        A fingerprint and a name belong to one image: the image that had them before loses the name, and is listed no more
        when it had the fingerprint. Raises StoreError, code `blob-missing`, when a blob of it has been collected meanwhile.
        """
        listed = replace(image, fingerprint=fingerprint or image.fingerprint, name=name or image.name)
        with self.hold():
            entry = _make_entry(listed, len(self.blobs.read(image.digest)))
            if not self._is_whole(entry):
                raise StoreError("blob-missing", f"{image.digest} is not whole in the image store", "Build it again.")
            self._index.change(lambda entries: (*_without_rivals(entries, entry), entry))
        return listed

    def note_push(self, digest: str, name: str) -> None:
        """Remember that a repository has a listed image; other images may then mount its layers from there."""

        def note(entry: IndexEntry) -> IndexEntry:
            names = dict.fromkeys([name, *entry.annotation(PUSHED).split()])
            return entry.with_annotation(PUSHED, " ".join(list(names)[:_PUSHES_KEPT]))

        self._index.change(lambda entries: tuple(note(one) if one.descriptor.digest == digest else one for one in entries))

    def remove(self, digest: str) -> None:
        """List an image no more; its blobs go with the next garbage collection."""
        self._index.change(lambda entries: tuple(entry for entry in entries if entry.descriptor.digest != digest))

    def collect_garbage(self, keep: Collection[str] | None = None) -> Collected:
        """Delete what no listed image needs; with `keep`, first unlist every image whose digest is not in it.

        Raises StoreError, code `store-busy`, when the store stays in use for a minute.
        """
        with lock_file(self.path / "store.lock", wait_seconds=_GARBAGE_WAIT_SECONDS):
            before = self._index.read()
            kept = {entry.descriptor.digest for entry in before if self._is_whole(entry)}
            kept &= kept if keep is None else set(keep)
            self._index.change(lambda entries: tuple(entry for entry in entries if entry.descriptor.digest in kept))
            needed = {digest for image in self.list() for digest in _list_blobs(image)}
            useless = [digest for digest in self.blobs.list_digests() if digest not in needed]
            freed = sum(self.blobs.remove(digest) for digest in useless) + self._remove_partials()
            return Collected(images=len(before) - len(self._index.read()), blobs=len(useless), bytes=freed)

    def open_blob(self, digest: str) -> IO[bytes]:
        """Open a blob for reading. Raises StoreError, code `blob-missing`."""
        return self.blobs.open(digest)

    def read_file(self, image: StoredImage, path: str) -> bytes | None:
        """The content of a file of an image, or None; layers that are not in the store are passed over."""
        return find_file(self.blobs, image, path)

    def unpack_layer(self, image: StoredImage, layer: StoredLayer, folder: Path) -> Path:
        """Unpack a layer below `folder`, once for all images that have it; returns its own folder.

        Raises StoreError: `layer-unsafe` (paths or links that lead out of it), `blob-damaged`, `blob-missing`.
        """
        if layer not in image.layers:
            raise StoreError("blob-missing", f"{image.digest} has no layer {layer.digest}")
        return unpack_layer(self.blobs, layer, folder)

    def collect_unpacked(self, folder: Path) -> int:
        """Remove what is unpacked below `folder` of layers that no listed image has; return the bytes freed.

        Raises StoreError, code `store-busy`, when the store stays in use for a minute.
        """
        with lock_file(self.path / "store.lock", wait_seconds=_GARBAGE_WAIT_SECONDS):
            return remove_unpacked(folder, {layer.diff_id for image in self.list() for layer in image.layers})

    def write_docker_archive(self, image: StoredImage, file: IO[bytes], *, name: str = "") -> None:
        """Write what `docker load` reads, without seeking. `name` is the tag that the engine gives it.

        Every layer must be here: call `fetch_base_layers` before. Raises StoreError: `blob-missing`, `image-has-no-base`.
        """
        with self.hold():
            write_docker_archive(self.blobs, image, file, name)

    def import_docker_archive(self, file: IO[bytes], *, media: Dialect = "docker") -> StoredImage:
        """Read what `docker save` writes (one image), without seeking. The image is not listed yet.

        Raises StoreError, code `archive-invalid`.
        """
        with self.hold():
            return read_docker_archive(self.blobs, file, media)

    def _describe(self, entry: IndexEntry) -> StoredImage:
        return read_image(self.blobs, entry.descriptor.digest, dict(entry.annotations))

    def _is_whole(self, entry: IndexEntry) -> bool:
        """Whether all blobs are here; an image whose base can be fetched again does not need the base's layers."""
        if not self.blobs.has(entry.descriptor.digest):
            return False
        manifest = decode_manifest(self.blobs.read(entry.descriptor.digest))
        if not self.blobs.has(manifest.config.digest):
            return False
        layers = self._describe(entry).layers
        fetchable = "base" if entry.annotation(BASE) else None
        return all(layer.kind == fetchable or self.blobs.has(layer.digest) for layer in layers)

    def _remove_partials(self) -> int:
        """With the store to ourselves, whatever is still unfinished belongs to a process that died."""
        return sum(_remove_file(file) for file in _iterate(self.blobs.temporary))


def _without_rivals(entries: tuple[IndexEntry, ...], new: IndexEntry) -> Iterator[IndexEntry]:
    fingerprint, name = new.annotation(FINGERPRINT), new.annotation(REF_NAME)
    for entry in entries:
        if entry.descriptor.digest == new.descriptor.digest:
            continue
        if fingerprint and entry.annotation(FINGERPRINT) == fingerprint:
            continue
        yield entry.with_annotation(REF_NAME, "") if name and entry.annotation(REF_NAME) == name else entry


def _make_entry(image: StoredImage, size: int) -> IndexEntry:
    descriptor = Descriptor(media_type=media_types(image.media).manifest, digest=image.digest, size=size)
    entry = IndexEntry(descriptor=descriptor, annotations=())
    for key, value in (
        (REF_NAME, image.name),
        (FINGERPRINT, image.fingerprint),
        (BASE, image.base),
        (PUSHED, " ".join(image.pushed)),
    ):
        entry = entry.with_annotation(key, value)
    return entry


def _list_blobs(image: StoredImage) -> Iterator[str]:
    yield from (image.digest, image.config_digest)
    yield from (layer.digest for layer in image.layers)


def _iterate(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _remove_file(file: Path) -> int:
    size = file.stat().st_size
    file.unlink()
    return size
