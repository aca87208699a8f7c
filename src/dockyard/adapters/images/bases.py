"""Owns which base an image stands on: a tag is looked up once and then meant by digest, until the cache is cleared.

A base that moved would otherwise rebuild every image behind its users' backs: the second deploy of the same thing must change
nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from dockyard.adapters.codec import decode, encode
from dockyard.adapters.files import write_file
from dockyard.adapters.images.errors import translated
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import DEFAULT_BASE, HOST_BASE, ImageSettings
from dockyard_image.base import ResolvedBase, host_base, resolve_base
from dockyard_image.errors import RegistryError
from dockyard_image.registries import Registries

_ELSEWHERE = (
    "`image.mirrors` or `image.base` in dockyard.yaml names another place; `deploy local --runtime process` needs no base."
)


class Bases:
    """Base images by reference and platform."""

    def __init__(self, registries: Registries, cache: Path) -> None:
        self._registries = registries
        self._cache = cache

    def resolve(self, settings: ImageSettings, python: str) -> ResolvedBase:
        """The base that the settings mean, for a Python minor version. Raises `base-not-found`, `registry-unreachable`…"""
        reference = (settings.base or DEFAULT_BASE).replace("{python}", python)
        with translated():
            if reference == HOST_BASE:
                return host_base(python, settings.platform)
            path = self._path(reference, settings.platform)
            return _read(path) or self._look_up(reference, settings.platform, path)

    def _look_up(self, reference: str, platform: str, path: Path) -> ResolvedBase:
        try:
            base = resolve_base(reference, platform, self._registries)
        except RegistryError as error:
            told = f"the base image {reference} cannot be looked up: {error.message}"
            raise RegistryError(error.code, told, f"{error.hint} {_ELSEWHERE}".lstrip()) from error
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, encode(base))
        return base

    def _path(self, reference: str, platform: str) -> Path:
        name = hashlib.sha256(f"{reference} {platform}".encode()).hexdigest()
        return self._cache / f"{name}.json"


def _read(path: Path) -> ResolvedBase | None:
    """What the cache says; nothing where it says nothing that can be read."""
    try:
        return decode(ResolvedBase, path.read_bytes())
    except (FileNotFoundError, DockyardError):
        return None
