"""The seam between endpoints and what runs their containers: an engine, or processes out of unpacked images.

Owns the words. Must not implement a runner, nor know endpoints: a container is an image with an argument, a port and limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

MODEL_FOLDER = "/opt/ml/model"
"""Where SageMaker puts a model's data in a container."""
DEFAULT_PORT = 8080


class RunnerError(Exception):
    """Something about a container went wrong; `reason` is a sentence that a user may read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImagePullError(RunnerError):
    """The image cannot be had: it does not exist, its registry does not answer, or it is damaged."""


class ContainerError(RunnerError):
    """The image is there, but no container can be started from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """What SageMaker decides about a container."""

    image: str
    """`repository@sha256:…` or `repository:tag`."""
    log: Callable[[str], None]
    """Takes each line that the container prints, without its end, from a thread of the runner's."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    argument: str = "serve"
    """Replaces the image's CMD."""
    port: int = DEFAULT_PORT
    model_data: Path | None = None
    """A folder that is mounted read-only at `/opt/ml/model`; without one the image's own is used."""
    memory_mb: int | None = None
    cpus: float | None = None
    network: bool = True
    """False: network isolation; the container reaches nothing, and is still reached."""
    user: str | None = None
    """`1000:1000` as serverless endpoints do; None is the image's own user."""
    read_only: bool = False
    """Whether the root file system is read-only, but for `/tmp`."""


class Container(Protocol):
    """A container that was started."""

    @property
    def address(self) -> str:
        """`host:port` on loopback or on the engine's bridge where it answers, once it does."""
        ...

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        ...

    def stop(self, grace_seconds: float = 30) -> None:
        """SIGTERM, SIGKILL after the grace; returns when nothing is left of it. May be repeated."""
        ...


class Runner(Protocol):
    """Starts containers. Any number of threads may use one runner."""

    def start(self, spec: ContainerSpec) -> Container:
        """Start a container; it need not answer yet. Raises ImagePullError, ContainerError."""
        ...

    def resolve_digest(self, image: str) -> str:
        """The manifest digest (`sha256:…`) that an image reference stands for now. Raises ImagePullError."""
        ...
