"""A lock: the exact wheels that make up an image's dependencies.

Owns the lock's data, its text and its digest, and reading uv's `pylock.toml`. Must not run uv or fetch. The text names
wheels by hash only: it may enter an image or a log, so no address of an index may be in it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from dockyard_image.digest import digest_bytes, is_digest
from dockyard_image.errors import LockError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedWheel:
    """One wheel. `url` says where it was seen; it is not part of the lock's identity."""

    name: str
    version: str
    filename: str
    sha256: str
    url: str
    size: int | None = None

    def __repr__(self) -> str:
        return f"LockedWheel({self.filename!r}, sha256={self.sha256!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Wheels in the order of their names. `text` is a requirements file with hashes; `digest` is the digest of `text`."""

    text: str
    digest: str
    wheels: tuple[LockedWheel, ...]


def make_lock(wheels: Iterable[LockedWheel]) -> Lock:
    """The lock of some wheels; the same wheels give the same text and digest, wherever they came from."""
    ordered = tuple(sorted(wheels, key=lambda wheel: (wheel.name, wheel.filename)))
    text = "".join(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in ordered)
    return Lock(text=text, digest=digest_bytes(text.encode()), wheels=ordered)


def parse_pylock(text: str, tags: Iterable[Tag]) -> Lock:
    """Choose one wheel for every package of a `pylock.toml`, the best by `tags` (best first).

    Raises LockError, code `no-wheel`, for a package that has none.
    """
    rank = {tag: place for place, tag in enumerate(tags)}
    packages = tomllib.loads(text).get("packages", [])
    return make_lock(_choose_wheel(package, rank) for package in packages)


def encode_lock(lock: Lock) -> bytes:
    """The lock with its addresses, for the local cache only."""
    fields = ("name", "version", "filename", "sha256", "url", "size")
    return json.dumps([{field: getattr(wheel, field) for field in fields} for wheel in lock.wheels]).encode()


def decode_lock(content: bytes) -> Lock | None:
    """The lock that `encode_lock` wrote, or None when it is damaged."""
    try:
        return make_lock(LockedWheel(**entry) for entry in json.loads(content))
    except (ValueError, TypeError):
        return None


def _choose_wheel(package: Mapping[str, Any], rank: Mapping[Tag, int]) -> LockedWheel:
    name = canonicalize_name(str(package["name"]))
    archive = package.get("archive")
    entries = [*package.get("wheels", ()), *([archive] if archive else ())]
    fitting = [(place, wheel) for place, wheel in (_read_wheel(name, entry, rank) for entry in entries) if wheel]
    if not fitting:
        raise no_wheel(name)
    return min(fitting, key=lambda pair: (pair[0], pair[1].filename, pair[1].url))[1]


def _read_wheel(name: str, entry: Mapping[str, Any], rank: Mapping[Tag, int]) -> tuple[int, LockedWheel | None]:
    parts = urlsplit(str(entry.get("url") or entry.get("path") or ""))
    filename = str(entry.get("name") or unquote(parts.path).rpartition("/")[2])
    digest = entry.get("hashes", {}).get("sha256", "")
    try:
        _, version, _, wheel_tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return 0, None
    places = [rank[tag] for tag in wheel_tags if tag in rank]
    if not places or not is_digest(f"sha256:{digest}"):
        return 0, None
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
    size = entry.get("size")
    wheel = LockedWheel(
        name=name,
        version=str(version),
        filename=filename,
        sha256=digest,
        url=bare,
        size=size if isinstance(size, int) else None,
    )
    return min(places), wheel


def no_wheel(package: str) -> LockError:
    """The error for a package that comes as source only, or not for this Python and machine."""
    return LockError(
        "no-wheel",
        f"{package} has no wheel for the image's Python and platform",
        "Build with the engine builder, which can compile it, or require a version that has a wheel.",
    )
