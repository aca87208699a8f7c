"""An image as the store knows it: a value that describes a manifest, its config and its layers.

Owns the reading of that value. Must not build, fetch or send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dockyard_image.blobs import Blobs
from dockyard_image.digest import is_digest
from dockyard_image.manifest import decode_manifest, decode_object, invalid_manifest
from dockyard_image.media import Dialect, dialect_of

HISTORY_PREFIX = "dockyard "
HOST_BASE_PREFIX = "host-python-"
_NO_ANNOTATIONS: Mapping[str, str] = {}

REF_NAME = "org.opencontainers.image.ref.name"
FINGERPRINT = "dockyard.fingerprint"
BASE = "dockyard.base"
PUSHED = "dockyard.pushed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLayer:
    """One layer. `kind` is base, dependencies, scorer, model or extra; empty in images that were built elsewhere."""

    digest: str
    diff_id: str
    size: int
    media_type: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """One image. `size` is what a registry would hold of it, in bytes.

    `base` is the pinned reference that its base layers can be had from (they need not be in the store), `host-python-3.11`
    for an image without one, or empty when every layer is in the store. `pushed` names the repositories that have it.
    """

    digest: str
    config_digest: str
    size: int
    media: Dialect
    layers: tuple[StoredLayer, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    fingerprint: str = ""
    name: str = ""
    pushed: tuple[str, ...] = ()

    @property
    def has_base(self) -> bool:
        """Whether it can run by itself; false for images that borrow the host's Python."""
        return not self.base.startswith(HOST_BASE_PREFIX)


def read_image(blobs: Blobs, digest: str, annotations: Mapping[str, str] = _NO_ANNOTATIONS) -> StoredImage:
    """Describe the image whose manifest is in the store. Raises StoreError or RegistryError (`manifest-invalid`)."""
    content = blobs.read(digest)
    manifest = decode_manifest(content)
    config = decode_object(blobs.read(manifest.config.digest))
    diff_ids = read_diff_ids(config)
    if len(diff_ids) != len(manifest.layers):
        raise invalid_manifest("its config counts other layers than its manifest")
    kinds = read_kinds(config, len(diff_ids))
    layers = tuple(
        StoredLayer(digest=layer.digest, diff_id=diff_id, size=layer.size, media_type=layer.media_type, kind=kind)
        for layer, diff_id, kind in zip(manifest.layers, diff_ids, kinds, strict=True)
    )
    return StoredImage(
        digest=digest,
        config_digest=manifest.config.digest,
        size=len(content) + manifest.config.size + sum(layer.size for layer in layers),
        media=dialect_of(manifest.media_type),
        layers=layers,
        labels=read_labels(config),
        base=annotations.get(BASE, ""),
        fingerprint=annotations.get(FINGERPRINT, ""),
        name=annotations.get(REF_NAME, ""),
        pushed=tuple(annotations.get(PUSHED, "").split()),
    )


def read_diff_ids(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The diff ids of a config. Raises RegistryError, code `manifest-invalid`."""
    rootfs = config.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or not all(is_digest(diff_id) for diff_id in diff_ids):
        raise invalid_manifest("its config lists no layers")
    return tuple(diff_ids)


def read_labels(config: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a config."""
    settings = config.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}


def read_kinds(config: Mapping[str, Any], count: int) -> Sequence[str]:
    """What each layer is, from the history that we write; empty for those of other builders."""
    history = config.get("history")
    entries = [entry for entry in history if not entry.get("empty_layer")] if isinstance(history, list) else []
    makers = [str(entry.get("created_by", "")) for entry in entries]
    if len(makers) != count:
        return [""] * count
    return [maker.removeprefix(HISTORY_PREFIX) if maker.startswith(HISTORY_PREFIX) else "" for maker in makers]
