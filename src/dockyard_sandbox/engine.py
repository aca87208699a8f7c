"""The Docker engine of this machine, if one answers.

Owns the connection.
"""

from __future__ import annotations

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

_ANSWER_SECONDS = 600  # pulling a large image takes its time, and the engine is silent meanwhile


def open_engine() -> docker.DockerClient | None:
    """The engine that DOCKER_HOST or Docker's default names; None where none answers."""
    try:
        engine = docker.from_env(version="auto", timeout=_ANSWER_SECONDS)
    except (DockerException, RequestException):
        return None
    return engine
