"""Reads labels and small files out of an image in a registry, without its other layers.

Owns which requests that takes. Must not store anything.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

from dockyard_image.image import read_kinds, read_labels
from dockyard_image.manifest import decode_manifest, decode_object
from dockyard_image.reference import parse_reference
from dockyard_image.registries import Registries


def read_layer_file(reference: str, kind: str, path: str, registries: Registries) -> bytes | None:
    """The content of a file in an image's layer of a kind; None where it has no such layer, or that no such file.

    Raises RegistryError, and InvalidReferenceError for what is no reference. For layers of a few megabytes.
    """
    named = parse_reference(reference)
    manifest = decode_manifest(registries.read_manifest(named)[0])
    config = decode_object(registries.read_small_blob(named, manifest.config.digest))
    kinds = read_kinds(config, len(manifest.layers))
    layer = next((layer for layer, one in zip(manifest.layers, kinds, strict=True) if one == kind), None)
    return None if layer is None else _read_member(registries.read_small_blob(named, layer.digest), path)


def read_image_labels(reference: str, registries: Registries) -> Mapping[str, str]:
    """The labels of an image. Raises RegistryError, and InvalidReferenceError for what is no reference."""
    named = parse_reference(reference)
    manifest = decode_manifest(registries.read_manifest(named)[0])
    return read_labels(decode_object(registries.read_small_blob(named, manifest.config.digest)))


def _read_member(layer: bytes, path: str) -> bytes | None:
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:*") as tar:
        member = next((one for one in tar if one.name.lstrip("./") == path.lstrip("/") and one.isfile()), None)
        content = tar.extractfile(member) if member is not None else None
        return content.read() if content is not None else None
