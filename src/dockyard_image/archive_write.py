"""Writing an image as `docker load` of every engine version reads it.

Owns the archive's layout: `manifest.json`, the config, and the layers as they are stored (engines decompress them). Must not
fetch: every layer has to be in the store.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import IO

from dockyard_image.blobs import Blobs
from dockyard_image.digest import hex_of
from dockyard_image.errors import StoreError
from dockyard_image.image import StoredImage
from dockyard_image.reference import parse_reference


def write_docker_archive(blobs: Blobs, image: StoredImage, file: IO[bytes], name: str) -> None:
    """Write the archive in one go, without seeking."""
    _check_complete(blobs, image)
    config = f"{hex_of(image.config_digest)}.json"
    layers = [f"{hex_of(layer.diff_id)}/layer.tar" for layer in image.layers]
    contents = {f"{hex_of(layer.diff_id)}/layer.tar": layer.digest for layer in image.layers}
    entry = {"Config": config, "RepoTags": [_tag(name)] if name else None, "Layers": layers}
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        _add_bytes(archive, config, blobs.read(image.config_digest))
        for path, digest in contents.items():
            with blobs.open(digest) as blob:
                member = tarfile.TarInfo(path)
                member.size = blobs.path(digest).stat().st_size
                archive.addfile(member, blob)
        _add_bytes(archive, "manifest.json", json.dumps([entry]).encode())


def _check_complete(blobs: Blobs, image: StoredImage) -> None:
    if not image.has_base:
        raise no_base(image)
    missing = [layer.digest for layer in image.layers if not blobs.has(layer.digest)]
    if missing:
        raise StoreError("blob-missing", f"{missing[0]} is not in the image store", "Fetch the base's layers first.")


def no_base(image: StoredImage) -> StoreError:
    """The error for an image that borrows the host's Python and is asked to run elsewhere."""
    return StoreError(
        "image-has-no-base",
        f"{image.digest} was made to run under the host's Python and has no base image",
        "Build it with a base image first.",
    )


def _tag(name: str) -> str:
    """A name with a tag, as engines list it: docker.io and library/ are left out there, and latest is not."""
    reference = parse_reference(name)
    short = reference.name.removeprefix("docker.io/").removeprefix("library/")
    return f"{short}:{reference.tag or 'latest'}"


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
