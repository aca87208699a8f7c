"""Image references: `host:port/repository:tag@sha256:…`, read once and then carried as a value.

Owns the grammar and Docker's normalisation (docker.io, library/, latest), as in the reference package of the
distribution project. Must not contact anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockyard_image.digest import is_digest
from dockyard_image.errors import InvalidReferenceError

DOCKER_HUB = "docker.io"
_HUB_ALIASES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_MAX_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """A parsed reference; `tag` and `digest` are empty when they were not given."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Host and repository, without tag and digest."""
        return f"{self.host}/{self.repository}"

    @property
    def selector(self) -> str:
        """What a registry is asked for: the digest if there is one, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    def pinned(self, digest: str) -> ImageReference:
        """The same repository at a digest; the tag stays, as a label for people."""
        return ImageReference(host=self.host, repository=self.repository, tag=self.tag, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> ImageReference:
    """Read a reference as Docker does. Raises InvalidReferenceError, code `reference-invalid`."""
    rest, _, digest = text.partition("@")
    if "@" in text and not is_digest(digest):
        raise _invalid(text, "a digest is sha256: and 64 hexadecimal digits")
    rest, tag = _split_tag(rest)
    if tag is not None and not _TAG.fullmatch(tag):
        raise _invalid(text, "a tag is up to 128 letters, digits, '_', '.' or '-'")
    host, repository = _split_host(rest)
    if not _HOST.fullmatch(host):
        raise _invalid(text, "the host is not a host name with an optional port")
    if not _REPOSITORY.fullmatch(repository) or len(f"{host}/{repository}") > _MAX_NAME:
        raise _invalid(text, "a repository is lower-case letters and digits, separated by '/', '.', '_' or '-'")
    return ImageReference(host=host, repository=repository, tag=tag or "", digest=digest)


def _split_tag(text: str) -> tuple[str, str | None]:
    """Cut the tag off; a colon before the last slash belongs to the host's port."""
    slash, colon = text.rfind("/"), text.rfind(":")
    return (text[:colon], text[colon + 1 :]) if colon > slash else (text, None)


def _split_host(text: str) -> tuple[str, str]:
    """Docker's rule: the first part is a host only if it has a dot, a port, a capital letter, or is `localhost`."""
    first, slash, rest = text.partition("/")
    if not slash or not (first == "localhost" or "." in first or ":" in first or first.lower() != first):
        first, rest = DOCKER_HUB, text
    host = DOCKER_HUB if first in _HUB_ALIASES else first
    if host == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return host, rest


def _invalid(text: str, reason: str) -> InvalidReferenceError:
    before, at, after = text.rpartition("@")
    shown = text if not at or ":" not in before or after.startswith("sha256:") else f"***@{after}"  # user:password@host
    return InvalidReferenceError(
        "reference-invalid",
        f"{shown!r} is not an image reference: {reason}",
        "Write it like registry.example.com/team/model:1 or registry.example.com/team/model@sha256:<64 hex digits>.",
    )
