"""The fingerprint: one hash of everything that decides an image's bytes.

Owns what counts. Same fingerprint, same image: nothing to build. Must not read files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from dockyard_image.digest import digest_bytes, digest_fields
from dockyard_image.gzip_stream import COMPRESSION
from dockyard_image.media import Dialect

BUILD_FORMAT = 1
"""Raised when the builder starts to lay images out differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintParts:
    """What decides an image's bytes."""

    base_digest: str
    platform: str
    python: str
    lock_digest: str
    scorer_digest: str
    model_digest: str
    media: Dialect
    builder: str = "direct"
    labels: Mapping[str, str] = field(default_factory=dict)


def fingerprint(parts: FingerprintParts) -> str:
    """The fingerprint, as 64 hexadecimal digits."""
    fields = {**asdict(parts), "format": BUILD_FORMAT, "compression": COMPRESSION}
    return digest_fields(fields).removeprefix("sha256:")


def digest_files(files: Mapping[str, bytes]) -> str:
    """One digest for a set of files, such as the scorer's sources."""
    return digest_fields({path: digest_bytes(content) for path, content in files.items()})
