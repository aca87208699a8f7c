"""Sending an image: what the registry lacks, and nothing else.

Owns the order of a push. Blobs go first and in parallel, the manifest last, so that nobody ever pulls half an image. Base
layers are mounted where the registry has them, else streamed from where they are, without landing on this disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from dockyard_image.archive_write import no_base
from dockyard_image.image import StoredImage, StoredLayer
from dockyard_image.manifest import Descriptor
from dockyard_image.media import media_types
from dockyard_image.parallel import run_parallel
from dockyard_image.progress import Counter, Progress, ignore_progress
from dockyard_image.reference import ImageReference, parse_reference
from dockyard_image.registries import Registries
from dockyard_image.remote import Repository
from dockyard_image.store import ImageStore

_THREADS = 4
_READ = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Push:
    """One image on its way to one repository."""

    store: ImageStore
    image: StoredImage
    target: Repository
    registries: Registries
    counter: Counter


def push(
    store: ImageStore,
    image: StoredImage,
    reference: str,
    registries: Registries,
    progress: Progress = ignore_progress,
) -> str:
    """Make a registry have the image under `reference`; returns `repository@sha256:…`. Nothing is sent twice.

    Raises InvalidReferenceError; RegistryError (`registry-unreachable`, `registry-credentials-refused`, `registry-refused`,
    `repository-not-found`, `manifest-invalid`, `image-not-found` for a base that is gone); StoreError (`image-has-no-base`).
    """
    if not image.has_base:
        raise no_base(image)
    wanted = parse_reference(reference)
    target = registries.repository(wanted)
    counter = Counter("pushing", sum(layer.size for layer in image.layers), progress)
    with store.hold():
        content = store.blobs.read(image.digest)
        if target.find_manifest(image.digest) != image.digest:
            _send_blobs(_Push(store=store, image=image, target=target, registries=registries, counter=counter))
            target.put_manifest(image.digest, content, media_types(image.media).manifest)
        if wanted.tag and target.find_manifest(wanted.tag) != image.digest:
            target.put_manifest(wanted.tag, content, media_types(image.media).manifest)
    if image.digest in {listed.digest for listed in store.list()}:
        store.note_push(image.digest, wanted.name)
    return f"{wanted.name}@{image.digest}"


def fetch_base_layers(
    store: ImageStore, image: StoredImage, registries: Registries, progress: Progress = ignore_progress
) -> None:
    """Bring the base layers of an image into the store, for `docker load` and for tools that read the layout."""
    if not image.has_base:
        raise no_base(image)
    with store.hold():
        missing = [layer for layer in image.layers if not store.blobs.has(layer.digest)]
        counter = Counter("fetching the base", sum(layer.size for layer in missing), progress)
        base = parse_reference(image.base) if missing else None
        for layer in missing:
            if base is not None:
                registries.fetch_blob(base, _describe(layer), store.blobs, counter.advance)


def _send_blobs(push: _Push) -> None:
    config = Descriptor(
        media_type=media_types(push.image.media).config,
        digest=push.image.config_digest,
        size=push.store.blobs.path(push.image.config_digest).stat().st_size,
    )
    blobs = {layer.digest: _describe(layer) for layer in push.image.layers}
    run_parallel([partial(_send_blob, push, blob) for blob in (*blobs.values(), config)], _THREADS)


def _send_blob(push: _Push, blob: Descriptor) -> None:
    if not push.target.has_blob(blob.digest) and not _mount(push, blob):
        push.target.upload_blob(blob, _open_content(push, blob))
    else:
        push.counter.advance(blob.size)


def _mount(push: _Push, blob: Descriptor) -> bool:
    return any(push.target.mount_blob(blob.digest, source) for source in _list_sources(push, blob))


def _list_sources(push: _Push, blob: Descriptor) -> list[str]:
    """Repositories of the same registry that may have the blob: the base's, and those that other images went to."""
    names: dict[str, None] = {}
    host = push.target.endpoint.host
    if any(layer.kind == "base" and layer.digest == blob.digest for layer in push.image.layers):
        places = push.registries.places(parse_reference(push.image.base))
        names |= {place.name: None for place in places if place.endpoint.host == host}
    for other in push.store.list():
        if any(layer.digest == blob.digest for layer in other.layers):
            known = (parse_reference(name) for name in other.pushed)
            names |= {one.repository: None for one in known if push.registries.repository(one).endpoint.host == host}
    names.pop(push.target.name, None)
    return list(names)[:3]


def _open_content(push: _Push, blob: Descriptor) -> Callable[[], Iterator[bytes]]:
    """From the store if it is there, else from where the base is; every try counts from the start again."""
    sent = 0

    def count(chunks: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal sent
        push.counter.advance(-sent)
        sent = 0
        for chunk in chunks:
            yield chunk
            sent += len(chunk)
            push.counter.advance(len(chunk))

    def open_content() -> Iterator[bytes]:
        if push.store.blobs.has(blob.digest):
            return count(_read_blob(push.store, blob.digest))
        return count(push.registries.stream_blob(_base_of(push.image), blob))

    return open_content


def _read_blob(store: ImageStore, digest: str) -> Iterator[bytes]:
    with store.open_blob(digest) as file:
        while chunk := file.read(_READ):
            yield chunk


def _base_of(image: StoredImage) -> ImageReference:
    return parse_reference(image.base)


def _describe(layer: StoredLayer) -> Descriptor:
    return Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)
