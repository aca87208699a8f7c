"""Finds secrets that are known: as they are, quoted for an address, escaped for JSON, and within base64.

Owns where an image may have them: its manifest, its configuration with history and labels, and every byte of every layer, also
of one that a later layer hides. Does not look into archives within a layer. A finding names a secret by its number.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO
from urllib.parse import quote

_BLOCK = 1 << 22
_GZIP = b"\x1f\x8b"
_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
Fetch = Callable[[str], IO[bytes]]
"""Opens `manifests/DIGEST` or `blobs/DIGEST` of a repository."""


def list_forms(secret: str) -> frozenset[bytes]:
    """What a secret may look like in a text."""
    plain = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
    return frozenset({one.encode() for one in plain} | set(_encode(secret.encode())))


def _encode(content: bytes) -> Iterator[bytes]:
    """Base64 of something that begins with so many other bytes, without the characters that those decide as well."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + content)
        yield text[(before * 8 + 5) // 6 : (before + len(content)) * 8 // 6]


def find_secrets(stream: IO[bytes], secrets: Sequence[str]) -> set[int]:
    """The numbers of those that are in a stream, which is unpacked where it is a gzip."""
    head = stream.read(len(_GZIP))
    joined = _Joined(head, stream)
    whole = gzip.GzipFile(fileobj=joined) if head == _GZIP else joined
    wanted = {number: list_forms(secret) for number, secret in enumerate(secrets)}
    overlap = max(len(form) for forms in wanted.values() for form in forms) - 1
    found: set[int] = set()
    kept = b""
    while block := whole.read(_BLOCK):
        seen = kept + block
        found |= {number for number, forms in wanted.items() if any(form in seen for form in forms)}
        kept = seen[-overlap:]
    return found


class _Joined(io.RawIOBase):
    """What was read from a stream already, and then the rest of it."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or self._rest.read(size)


def scan_image(fetch: Fetch, digest: str, secrets: Sequence[str]) -> Mapping[str, set[int]]:
    """What each part of an image has of the secrets; parts without any are left out."""
    with fetch(f"manifests/{digest}") as stream:
        text = stream.read()
    manifest = json.loads(text)
    found = {"manifest": find_secrets(io.BytesIO(text), secrets)}
    for title, one in [("configuration", manifest["config"]), *((one["digest"], one) for one in manifest["layers"])]:
        with fetch(f"blobs/{one['digest']}") as stream:
            found[title] = find_secrets(stream, secrets)
    return {title: numbers for title, numbers in found.items() if numbers}


def open_repository(registry: str, repository: str) -> Fetch:
    """A repository of a registry that answers by plain HTTP."""

    def fetch(path: str) -> IO[bytes]:
        request = urllib.request.Request(f"http://{registry}/v2/{repository}/{path}", headers={"Accept": _MANIFESTS})
        opened: IO[bytes] = urllib.request.urlopen(request, timeout=60)
        return opened

    return fetch
