"""The Docker engine of this machine, if one answers.

Owns the connection. An engine on another machine is of no use: it does not reach a registry on our loopback, nor we its ports.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from dockyard_image.hosts import is_loopback

_ANSWER_SECONDS = 600  # pulling a large image takes its time, and the engine is silent meanwhile


def open_engine() -> docker.DockerClient | None:
    """The engine that DOCKER_HOST or Docker's default names; None where none answers, or it is on another machine."""
    if not is_on_this_machine(os.environ):
        return None
    try:
        return docker.from_env(version="auto", timeout=_ANSWER_SECONDS)
    except (DockerException, RequestException):
        return None


def is_on_this_machine(environ: Mapping[str, str]) -> bool:
    """Whether DOCKER_HOST names a socket or a port of this machine; without it, Docker's default is a socket."""
    parts = urlsplit(environ.get("DOCKER_HOST", ""))
    return parts.scheme in {"", "unix"} or (parts.scheme == "tcp" and is_loopback(parts.netloc))
