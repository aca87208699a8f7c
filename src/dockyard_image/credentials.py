"""Credentials for registries: who the user is, as the Docker command line would find out.

Owns reading Docker's configuration and its credential helpers. A secret never prints: not in a message, a log or a repr.
Providers that need an SDK (ECR through boto3) are handed in by the caller as functions.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockyard_image.reference import DOCKER_HUB

_HELPER_SECONDS = 60
_HUB_KEY = "https://index.docker.io/v1/"
_HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - what helpers answer as the user of an identity token


class Secret:
    """A value that prints as `***`; `reveal` is called where it goes onto the wire and nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user and a password, or (`is_identity_token`) a token to be exchanged at the registry's token service."""

    user: str
    secret: Secret
    is_identity_token: bool = False


CredentialProvider = Callable[[str], Credentials | None]
"""Given a registry host, its credentials, or None when it does not know the host."""


class DockerConfig:
    """The credentials in one Docker configuration folder."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._file = folder / "config.json"
        self._environ = environ

    def find(self, host: str) -> Iterator[Credentials]:
        """Credentials for a host: from its own helper, else from the general one, and from the file itself."""
        document = self._read()
        helpers = _section(document, "credHelpers")
        helper = next((str(name) for key, name in helpers.items() if _same_host(key, host)), document.get("credsStore"))
        if helper:
            yield from self._ask_helper(str(helper), _HUB_KEY if host in _HUB_HOSTS else host)
        for key, entry in _section(document, "auths").items():
            if _same_host(key, host) and isinstance(entry, dict):
                yield from _decode_entry(entry)

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}  # as with Docker itself, no configuration means no credentials
        return document if isinstance(document, dict) else {}

    def _ask_helper(self, helper: str, server: str) -> Iterator[Credentials]:
        """A helper that is missing or fails knows nothing: public images must stay within reach on such a machine."""
        try:
            done = subprocess.run(
                (f"docker-credential-{helper}", "get"),
                input=server,
                env=dict(self._environ),
                capture_output=True,
                text=True,
                check=True,
                timeout=_HELPER_SECONDS,
            )
            answer = json.loads(done.stdout)
            user, secret = str(answer["Username"]), str(answer["Secret"])
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
            return
        if secret:
            yield Credentials(user=user, secret=Secret(secret), is_identity_token=user == _IDENTITY_TOKEN_USER)


def open_docker_config(environ: Mapping[str, str], home: Path) -> DockerConfig:
    """The configuration that the Docker command line of this user would read."""
    return DockerConfig(Path(environ.get("DOCKER_CONFIG") or home / ".docker"), environ)


def read_user_docker_config() -> DockerConfig:
    """The configuration of the user who runs this process."""
    return open_docker_config(os.environ, Path.home())


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document.get(name)
    return section if isinstance(section, dict) else {}


def _same_host(key: str, host: str) -> bool:
    """Keys are hosts, or addresses with a scheme and a path from older times."""
    bare = key.partition("://")[2] or key
    named = bare.partition("/")[0]
    return named == host or (named in _HUB_HOSTS and host in _HUB_HOSTS)


def _decode_entry(entry: Mapping[str, Any]) -> Iterator[Credentials]:
    if token := entry.get("identitytoken"):
        yield Credentials(user=_IDENTITY_TOKEN_USER, secret=Secret(str(token)), is_identity_token=True)
        return
    user, password = str(entry.get("username", "")), str(entry.get("password", ""))
    try:
        decoded = base64.b64decode(str(entry.get("auth", "")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    if ":" in decoded:
        user, _, password = decoded.rstrip("\0").partition(":")
    if user and password:
        yield Credentials(user=user, secret=Secret(password))
