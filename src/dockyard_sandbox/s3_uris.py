"""Addresses of objects, `s3://bucket/key`.

Owns their reading.
"""

from __future__ import annotations

from urllib.parse import urlsplit


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key. Raises ValueError for what is no address in S3."""
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError(f"{uri} is not an address in S3")
    key = parts.path.removeprefix("/")
    return parts.netloc, f"{key}?{parts.query}" if parts.query else key
