"""Owns what the image builder's errors mean to a user: which family, which code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from dockyard.domain.errors import (
    CATALOGUE,
    BuildError,
    CredentialsError,
    DockyardError,
    NotFoundError,
    UnavailableError,
    UsageError,
)
from dockyard_image.errors import ImageError, LockError, RegistryError, StoreError, WheelError

_FAMILIES: Mapping[str, type[DockyardError]] = MappingProxyType(
    {
        "base-not-found": NotFoundError,
        "credentials-refused": CredentialsError,
        "image-not-found": NotFoundError,
        "index-unreachable": UnavailableError,
        "reference-invalid": UsageError,
        "registry-credentials-refused": CredentialsError,
        "registry-refused": UsageError,
        "registry-unreachable": UnavailableError,
        "store-busy": UnavailableError,
    }
)
_RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "blob-missing": "image-missing",
        "image-not-found": "base-not-found",
        "layer-unsafe": "unpack-failed",
        "manifest-invalid": "registry-invalid-answer",
        "registry-credentials-refused": "credentials-refused",
    }
)
_BY_KIND: Mapping[type[ImageError], str] = MappingProxyType(
    {
        LockError: "requirements-unsatisfiable",
        WheelError: "wheel-unavailable",
        RegistryError: "registry-refused",
        StoreError: "store-damaged",
    }
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise a DockyardError where the builder raises one of its own."""
    try:
        yield
    except ImageError as error:
        raise translate_image_error(error) from error


def translate_image_error(error: ImageError) -> DockyardError:
    """Return the DockyardError of a builder's error: same words, the code of our catalogue."""
    family = _FAMILIES.get(error.code, BuildError)
    code = _RENAMED.get(error.code, error.code)
    if code not in CATALOGUE:
        code = next((name for kind, name in _BY_KIND.items() if isinstance(error, kind)), "recipe-invalid")
    return family(code, error.message, hint=error.hint or None)
