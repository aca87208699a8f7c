"""Owns the connection to the Docker engine, and what its errors mean. The `docker` package is imported when it is needed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockyard.domain.errors import DockyardError, UnavailableError

if TYPE_CHECKING:
    from docker import DockerClient

_TIMEOUT_SECONDS = 60
_ANSWER_SECONDS = 2


def open_engine(timeout_seconds: int = _TIMEOUT_SECONDS) -> DockerClient:
    """Connect to the engine that DOCKER_HOST or Docker's default names. Raises UnavailableError `docker-unavailable`."""
    import docker

    with translated_engine("answer"):
        _knock(timeout_seconds)
        return docker.from_env(version="auto", timeout=timeout_seconds)


def _knock(timeout_seconds: int) -> None:
    """Raise DockerException where nobody listens at the engine's Unix socket: the package would leave its own socket open."""
    from docker.errors import DockerException
    from docker.utils import parse_host

    scheme, _, path = str(parse_host(os.environ.get("DOCKER_HOST"))).partition("://")
    if scheme == "http+unix":
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(timeout_seconds)
            try:
                knocking.connect(path)
            except OSError as error:
                raise DockerException(f"nobody listens at {path}") from error


def engine_answers() -> bool:
    """Whether an engine answers within two seconds."""
    try:
        engine = open_engine(_ANSWER_SECONDS)
        try:
            with translated_engine("answer"):
                return bool(engine.ping())
        finally:
            engine.close()
    except DockyardError:
        return False


@contextmanager
def translated_engine(doing: str) -> Iterator[None]:
    """Raise `docker-failed` where the engine refuses, `docker-unavailable` where it does not answer."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        reason = error.explanation or str(error)
        raise DockyardError("docker-failed", f"the Docker engine could not {doing}: {reason}") from error
    except (DockerException, RequestException) as error:
        raise UnavailableError(
            "docker-unavailable",
            f"no Docker engine answers to {doing}",
            hint="start one, or set DOCKER_HOST; `--runtime process` needs none",
        ) from error
