"""The base of an image: what our layers stand on, known by digest before any of it is fetched.

Owns the value, and choosing the right manifest of a list. Must not fetch layers: most builds never need them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dockyard_image.errors import RegistryError
from dockyard_image.image import HOST_BASE_PREFIX, read_diff_ids
from dockyard_image.manifest import Descriptor, decode_index, decode_manifest, decode_object, invalid_manifest, is_index
from dockyard_image.platforms import find_platform, python_minor
from dockyard_image.reference import ImageReference, parse_reference

_VERSION = re.compile(r"3\.\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedBase:
    """A base image at one digest, for one platform. `source` is the pinned reference to pull it by; empty for the host."""

    name: str
    digest: str
    platform: str
    source: str = ""
    environment: tuple[str, ...] = ()
    layers: tuple[Descriptor, ...] = ()
    diff_ids: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """The Python that the base says it has, such as `3.11`; empty when it does not say."""
        for variable in self.environment:
            name, _, value = variable.partition("=")
            if name == "PYTHON_VERSION" and (match := _VERSION.match(value)):
                return match.group()
        return ""


class ManifestSource(Protocol):
    """What resolving needs of the registries."""

    def read_manifest(self, reference: ImageReference) -> tuple[bytes, str, str]:
        """The bytes of a manifest or a list, its media type, and its digest."""

    def read_small_blob(self, reference: ImageReference, digest: str) -> bytes:
        """A config."""


def host_base(python: str, platform: str = "linux/amd64") -> ResolvedBase:
    """No base at all: the layers run under the host's Python of that minor version, without an engine."""
    python_minor(python)
    digest = f"{HOST_BASE_PREFIX}{python}"
    return ResolvedBase(name=digest, digest=digest, platform=find_platform(platform).name)


def resolve_base(reference: str, platform: str, registries: ManifestSource) -> ResolvedBase:
    """Find out which image a reference means now. Raises RegistryError, or `platform-unsupported`."""
    wanted = find_platform(platform)
    parsed = parse_reference(reference)
    content, media_type, digest = registries.read_manifest(parsed)
    if is_index(content, media_type):
        digest = _choose_platform(content, wanted.os, wanted.architecture, reference)
        content, media_type, digest = registries.read_manifest(parsed.pinned(digest))
    manifest = decode_manifest(content, media_type)
    config = decode_object(registries.read_small_blob(parsed, manifest.config.digest))
    found = f"{config.get('os')}/{config.get('architecture')}"
    if found != wanted.name:
        raise _no_platform(reference, f"is for {found}, not for {wanted.name}")
    diff_ids = read_diff_ids(config)
    if len(diff_ids) != len(manifest.layers):
        raise invalid_manifest("its config counts other layers than its manifest")
    return ResolvedBase(
        name=str(parsed),
        digest=digest,
        platform=wanted.name,
        source=str(parsed.pinned(digest)),
        environment=_read_environment(config),
        layers=manifest.layers,
        diff_ids=diff_ids,
    )


def _choose_platform(content: bytes, system: str, architecture: str, reference: str) -> str:
    fitting = [
        entry.descriptor.digest
        for entry in decode_index(content)
        if (entry.os, entry.architecture) == (system, architecture) and entry.variant in {"", "v8"}
    ]
    if not fitting:
        raise _no_platform(reference, f"has no image for {system}/{architecture}")
    return fitting[0]


def _read_environment(config: Mapping[str, Any]) -> tuple[str, ...]:
    settings = config.get("config")
    variables = settings.get("Env") if isinstance(settings, dict) else None
    return tuple(str(variable) for variable in variables) if isinstance(variables, list) else ()


def _no_platform(reference: str, what: str) -> RegistryError:
    return RegistryError("image-not-found", f"{reference} {what}", "Choose a base image for the target's platform.")
