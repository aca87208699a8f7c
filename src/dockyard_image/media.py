"""Media types of manifests, configs and layers, in the two dialects that registries speak.

Owns the names and the translation between dialects. SageMaker takes Docker's only; everybody takes either. Must not do I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["oci", "docker"]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"

INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)
MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaTypes:
    """The media types that one manifest uses throughout; mixing dialects in a manifest confuses strict readers."""

    manifest: str
    config: str
    layer_gzip: str
    layer_tar: str


_BY_DIALECT: dict[Dialect, MediaTypes] = {
    "oci": MediaTypes(manifest=OCI_MANIFEST, config=OCI_CONFIG, layer_gzip=OCI_LAYER + "+gzip", layer_tar=OCI_LAYER),
    "docker": MediaTypes(
        manifest=DOCKER_MANIFEST, config=DOCKER_CONFIG, layer_gzip=DOCKER_LAYER + ".gzip", layer_tar=DOCKER_LAYER
    ),
}


def media_types(dialect: Dialect) -> MediaTypes:
    """The media types of a dialect."""
    return _BY_DIALECT[dialect]


def dialect_of(manifest_type: str) -> Dialect:
    """The dialect that a manifest's media type belongs to."""
    return "docker" if manifest_type == DOCKER_MANIFEST else "oci"


def translate_layer(media_type: str, dialect: Dialect) -> str | None:
    """The same kind of layer in `dialect`, or None where the dialect has no name for it (zstd, foreign layers)."""
    types = _BY_DIALECT[dialect]
    for source in _BY_DIALECT.values():
        if media_type == source.layer_gzip:
            return types.layer_gzip
        if media_type == source.layer_tar:
            return types.layer_tar
    return media_type if dialect == "oci" and media_type == OCI_LAYER + "+zstd" else None
