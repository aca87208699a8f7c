"""Digests: how content is named, here and in every registry.

Owns the text form `sha256:<64 hex digits>` and hashing. Must not know what the content means.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest_bytes(content: bytes) -> str:
    """The digest of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_fields(fields: Mapping[str, object]) -> str:
    """The digest of named JSON values; the order in which they are given does not count."""
    return digest_bytes(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


def is_digest(text: object) -> bool:
    """Whether `text` is a whole sha256 digest; anything else must never become part of a file name."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def hex_of(digest: str) -> str:
    """The hexadecimal part of a digest that is known to be valid."""
    if not is_digest(digest):
        raise ValueError(f"not a sha256 digest: {digest!r}")
    return digest.removeprefix("sha256:")
