"""Owns ModelVersion: what a ModelRef resolved to, once, at one moment. Aliases move; a ModelVersion does not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

ModelDigest = NewType("ModelDigest", str)
"""`sha256:…` over the sorted list of the model's file digests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentity:
    """The part of a ModelVersion that leads back to the registry; small enough for labels, tags and state files."""

    digest: ModelDigest
    source: str
    """Where the files came from: an artifact location, or a folder's own name. Never holds credentials."""
    name: str | None = None
    """The registered model's name; None for a folder, a run's model that is not registered, or a location."""
    version: str | None = None
    model_id: str | None = None
    run_id: str | None = None
    registry: str | None = None
    """The tracking server or store that it is registered or logged in, without credentials; None for a folder."""

    @property
    def title(self) -> str:
        """What a person calls it: `wine v3`, or the source where it is not registered."""
        return f"{self.name} v{self.version}" if self.name and self.version else self.name or self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """Everything about a model that planning needs. Immutable."""

    identity: ModelIdentity
    flavors: tuple[str, ...]
    signature: str | None
    """The signature's JSON as MLmodel has it, or None."""
    requirements: tuple[str, ...]
    python: str
    """The minor version that the model was logged with, as `3.11`."""
    size_bytes: int
    created: str | None
    """When the model was logged (MLmodel's utc_time_created), ISO 8601 in UTC."""
    has_input_example: bool
    git_revision: str | None = None
    aliases: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    """What the requirements are held to, from the constraint files beside them."""


def digest_files(files: Mapping[str, str]) -> ModelDigest:
    """Return the model digest of relative POSIX paths and their sha256 hex digests.

    One line a file, `<hex>  <path>\\n`, sorted by path: `sha256sum` over the sorted files gives the same text.
    """
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items()))
    return ModelDigest("sha256:" + hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest())
