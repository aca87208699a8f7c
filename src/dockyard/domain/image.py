"""Owns the words for images: the recipe that decides an image's bytes, and an image that was built."""

from __future__ import annotations

from collections.abc import Mapping
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
class Footprint:
    """What an image's model took when it was built: measured once, and rounded so coarsely that it seldom differs."""

    memory_mib: int
    """The most that its scorer had in use at once while it loaded and answered the input example."""
    load_seconds: int
    """Processor time until the model was loaded."""

    def to_labels(self) -> Mapping[str, str]:
        """As the image's labels have it."""
        return {_MEMORY: str(self.memory_mib), _LOAD: str(self.load_seconds)}


_MEMORY, _LOAD = "dockyard.measured.memory-mib", "dockyard.measured.load-seconds"
LEAST_FOOTPRINT = Footprint(memory_mib=128, load_seconds=16)
"""Less makes no difference to anybody."""
_STEPS = 4
"""How many sizes there are between a power of two and the next."""


def round_up(amount: float, least: int) -> int:
    """Round up to a power of two, or one of the sizes between, each at most a quarter above the one below; at least `least`."""
    power = least
    while power * 2 <= amount:
        power *= 2
    return next(one for one in range(power, 3 * power, power // _STEPS) if one >= amount)


def make_footprint(peak_mib: float, cpu_seconds: float) -> Footprint:
    """Round what was measured."""
    return Footprint(
        memory_mib=round_up(peak_mib, LEAST_FOOTPRINT.memory_mib),
        load_seconds=round_up(cpu_seconds, LEAST_FOOTPRINT.load_seconds),
    )


def read_footprint(labels: Mapping[str, str]) -> Footprint | None:
    """The footprint that an image's labels tell; None where they tell none."""
    memory, load = labels.get(_MEMORY, ""), labels.get(_LOAD, "")
    if not (memory.isdecimal() and load.isdecimal()):
        return None
    return Footprint(memory_mib=int(memory), load_seconds=int(load))


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """An image in the local store."""

    fingerprint: Fingerprint
    digest: ImageDigest
    size_bytes: int
    """Compressed, all layers, base included."""
    has_proof: bool
    """Whether the build recorded the answer to the model's input example."""
    footprint: Footprint | None = None
    """None: nothing could be measured."""
