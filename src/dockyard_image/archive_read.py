"""Reading what `docker save` writes, by engines old and new.

Owns the archive's forms: layers as `<id>/layer.tar` with links between equal ones (before Docker 25), and as blobs of an OCI
layout (since). Both have a `manifest.json` that names config and layers. Nothing in the archive becomes a path on disk.
"""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from dockyard_image.blobs import Blobs
from dockyard_image.digest import digest_bytes
from dockyard_image.errors import RegistryError, StoreError
from dockyard_image.image import StoredImage, read_diff_ids, read_image
from dockyard_image.layer import LayerBlob, store_layer
from dockyard_image.manifest import Descriptor, Manifest, decode_object, encode_manifest
from dockyard_image.media import Dialect, media_types

_READ = 1 << 20
_SMALL = 8 << 20  # manifests and configs; anything larger is a layer
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_TAR_MAGIC = slice(257, 262)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """What the archive holds: layers by their name in it, small files, and links from name to name."""

    layers: dict[str, LayerBlob] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def read_docker_archive(blobs: Blobs, file: IO[bytes], media: Dialect) -> StoredImage:
    """Store the one image of an archive. Raises StoreError, code `archive-invalid`."""
    contents = _Contents()
    try:
        with tarfile.open(fileobj=file, mode="r|*", bufsize=_READ) as archive:
            for member in archive:
                _take_member(blobs, contents, archive, member)
    except (tarfile.TarError, EOFError) as error:
        raise _invalid("it breaks off or is no archive") from error
    entry = _read_entry(contents)
    config = contents.small.get(_follow(contents, str(entry.get("Config"))))
    if config is None:
        raise _invalid("its config is missing")
    layers = [_find_layer(contents, str(name)) for name in entry.get("Layers") or ()]
    return _store_image(blobs, config, layers, media)


def _take_member(blobs: Blobs, contents: _Contents, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    name = posixpath.normpath(member.name)
    if member.issym():
        contents.links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
    elif member.islnk():
        contents.links[name] = posixpath.normpath(member.linkname)
    source = archive.extractfile(member) if member.isfile() else None
    if source is None:
        return
    head = source.read(_READ)
    if _is_layer(head, member.size):
        contents.layers[name] = _store(blobs, head, source)
    else:
        contents.small[name] = head + source.read(_SMALL)


def _is_layer(head: bytes, size: int) -> bool:
    if head.startswith(_ZSTD):
        raise _invalid("it has a layer compressed with zstd, which not every engine reads")
    empty_layer = size > 0 and not head.strip(b"\0")
    return head.startswith(_GZIP) or head[_TAR_MAGIC] == b"ustar" or empty_layer or size > _SMALL


def _store(blobs: Blobs, head: bytes, rest: IO[bytes]) -> LayerBlob:
    """A plain layer is compressed; a compressed one is kept as it is, so that its digest stays what registries know."""
    if not head.startswith(_GZIP):
        return store_layer(_chunks(head, rest), blobs)
    with blobs.create() as blob:
        for chunk in _chunks(head, rest):
            blob.write(chunk)
    return LayerBlob(digest=blob.digest, diff_id="", size=blob.size)


def _chunks(head: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    yield head
    while chunk := rest.read(_READ):
        yield chunk


def _read_entry(contents: _Contents) -> Mapping[str, Any]:
    try:
        entries = json.loads(contents.small["manifest.json"])
    except KeyError as error:
        raise _invalid("it has no manifest.json") from error
    except ValueError as error:
        raise _invalid("its manifest.json is not JSON") from error
    if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], dict):
        raise _invalid("it does not hold exactly one image")
    return entries[0]


def _find_layer(contents: _Contents, name: str) -> LayerBlob:
    layer = contents.layers.get(_follow(contents, name))
    if layer is None:
        raise _invalid(f"layer {name!r} is missing")
    return layer


def _follow(contents: _Contents, name: str) -> str:
    """The name at the end of a chain of links; a circle ends after as many steps as there are links."""
    name = posixpath.normpath(name)
    for _ in contents.links:
        name = contents.links.get(name, name)
    return name


def _store_image(blobs: Blobs, config: bytes, layers: list[LayerBlob], media: Dialect) -> StoredImage:
    try:
        diff_ids = read_diff_ids(decode_object(config))
    except RegistryError as error:
        raise _invalid("its config is none") from error
    packed = [layer.diff_id or diff_id for layer, diff_id in zip(layers, diff_ids, strict=False)]
    if len(layers) != len(diff_ids) or packed != list(diff_ids):
        raise _invalid("its layers are not those that its config names")
    types = media_types(media)
    manifest = Manifest(
        media_type=types.manifest,
        config=Descriptor(media_type=types.config, digest=digest_bytes(config), size=len(config)),
        layers=tuple(Descriptor(media_type=types.layer_gzip, digest=one.digest, size=one.size) for one in layers),
    )
    blobs.put(config)
    return read_image(blobs, blobs.put(encode_manifest(manifest)))


def _invalid(reason: str) -> StoreError:
    return StoreError("archive-invalid", f"the image archive cannot be read: {reason}", "Save the image again.")
