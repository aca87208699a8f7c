"""Manifests and configs: reading what others wrote, writing ours as deterministic JSON.

Owns the documents' structure (OCI image spec 1.0; Docker image manifest v2 schema 2). Must not fetch or store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockyard_image.digest import is_digest
from dockyard_image.errors import RegistryError
from dockyard_image.media import INDEX_TYPES, MANIFEST_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """Points to content: what it is, its digest, its size."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An image's manifest: its config and its layers, lowest first."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEntry:
    """One line of a manifest list."""

    descriptor: Descriptor
    os: str
    architecture: str
    variant: str


def encode_json(document: Mapping[str, Any]) -> bytes:
    """The one way we write JSON that gets a digest."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest."""
    return encode_json(
        {
            "schemaVersion": 2,
            "mediaType": manifest.media_type,
            "config": describe(manifest.config),
            "layers": [describe(layer) for layer in manifest.layers],
        }
    )


def describe(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as it stands in a document."""
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def decode_manifest(content: bytes, media_type: str = "") -> Manifest:
    """Read a manifest; `media_type` is what the server called it. Raises RegistryError, code `manifest-invalid`."""
    document = decode_object(content)
    kind = str(document.get("mediaType") or media_type)
    if kind not in MANIFEST_TYPES:
        raise invalid_manifest(f"its media type {kind[:80]!r} is not an image manifest's")
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise invalid_manifest("it has no list of layers")
    return Manifest(
        media_type=kind,
        config=decode_descriptor(document.get("config")),
        layers=tuple(decode_descriptor(layer) for layer in layers),
    )


def decode_index(content: bytes) -> tuple[PlatformEntry, ...]:
    """Read a manifest list. Raises RegistryError, code `manifest-invalid`."""
    entries = decode_object(content).get("manifests")
    if not isinstance(entries, list):
        raise invalid_manifest("it has no list of manifests")
    return tuple(_decode_platform(entry) for entry in entries)


def is_index(content: bytes, media_type: str) -> bool:
    """Whether a document is a manifest list rather than a manifest."""
    return str(decode_object(content).get("mediaType") or media_type) in INDEX_TYPES


def decode_object(content: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises RegistryError, code `manifest-invalid`."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise invalid_manifest("it is not JSON") from error
    if not isinstance(document, dict):
        raise invalid_manifest("it is not a JSON object")
    return document


def decode_descriptor(entry: object) -> Descriptor:
    """Read a descriptor. Raises RegistryError, code `manifest-invalid`."""
    if not isinstance(entry, dict):
        raise invalid_manifest("a descriptor is not an object")
    digest, size = entry.get("digest"), entry.get("size")
    if not isinstance(digest, str) or not is_digest(digest) or not isinstance(size, int) or size < 0:
        raise invalid_manifest("a descriptor has no sha256 digest and size")
    return Descriptor(media_type=str(entry.get("mediaType", "")), digest=digest, size=size)


def invalid_manifest(reason: str) -> RegistryError:
    """The error for a document that is not what it should be."""
    return RegistryError("manifest-invalid", f"an image manifest cannot be read: {reason}", "Check the image reference.")


def _decode_platform(entry: object) -> PlatformEntry:
    platform = entry.get("platform") if isinstance(entry, dict) else None
    fields = platform if isinstance(platform, dict) else {}
    return PlatformEntry(
        descriptor=decode_descriptor(entry),
        os=str(fields.get("os", "")),
        architecture=str(fields.get("architecture", "")),
        variant=str(fields.get("variant", "")),
    )
