"""Owns the words for images: the recipe that decides an image's bytes, and an image that was built."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

Fingerprint = NewType("Fingerprint", str)
"""Hash of everything that decides an image's bytes. Same fingerprint, same image."""
ImageDigest = NewType("ImageDigest", str)
"""`sha256:…` of a manifest in the local store, or `repository@sha256:…` once it is pushed."""


class BuilderKind(str, Enum):
    """Which builder makes the image; AUTO takes the direct one unless it cannot serve the model."""

    AUTO = "auto"
    DIRECT = "direct"
    ENGINE = "engine"


DEFAULT_BASE = "docker.io/library/python:{python}-slim-bookworm"
HOST_BASE = "host"
"""No base layers at all: the image's own layers run under the host's Python."""


DEFAULT_PLATFORM = "linux/amd64"


class MediaFormat(str, Enum):
    """Media types of manifest and layers. SageMaker takes only Docker's."""

    OCI = "oci"
    DOCKER = "docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSettings:
    """What a user may decide about images."""

    builder: BuilderKind = BuilderKind.AUTO
    base: str | None = None
    """The base image; `{python}` stands for the model's minor version. None: HOST_BASE where the process runtime will run
    it, DEFAULT_BASE otherwise."""
    platform: str = DEFAULT_PLATFORM
    format: MediaFormat = MediaFormat.OCI
    repository: str | None = None
    """Where to push, without tag."""
    system_packages: tuple[str, ...] = ()
    """Debian packages that the model needs at run time; they need the engine builder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """A decided recipe: which builder and why, and the fingerprint of what it would make."""

    fingerprint: Fingerprint
    builder: BuilderKind
    reason: str
    """Why this builder."""
    settings: ImageSettings
    """With the base decided."""
    base_digest: str
    python: str
    lock_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """An image in the local store."""

    fingerprint: Fingerprint
    digest: ImageDigest
    size_bytes: int
    """Compressed, all layers, base included."""
    has_proof: bool
    """Whether the build recorded the answer to the model's input example."""
