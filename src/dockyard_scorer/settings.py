"""The scorer's settings, read from environment variables once, at start.

Owns names, defaults and checks. Reads nothing but the mapping it is given.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

_PREFIX = Path("/opt/dockyard")
_T = TypeVar("_T")


class SettingsError(ValueError):
    """A variable holds something that is not of its kind."""


def _count_threads() -> int:
    # As many as asyncio's own executor would use, which is what `mlflow models serve` predicts in.
    return min(32, len(os.sched_getaffinity(0)) + 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. Sizes in bytes, times in seconds."""

    model: Path = Path("/opt/ml/model")
    proof: Path = _PREFIX / "proof.json"
    image_json: Path = _PREFIX / "image.json"
    host: str = "0.0.0.0"  # noqa: S104  a container's port is opened or closed from outside it
    port: int = 8080
    max_body_bytes: int = 104_857_600
    grace_seconds: float = 25.0
    """From SIGTERM to the end of the process, at most."""
    quiet_seconds: float = 2.0
    """While draining, the port stays open until no request has come for so long (at most for half of the grace)."""
    request_timeout_seconds: float = 60.0
    threads: int = field(default_factory=_count_threads)
    max_requests: int = 256
    """Requests to /invocations that may be under way at once; one more is answered 503."""
    revision: int | None = None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `environment`; an empty variable counts as unset. Raises SettingsError, naming the variable."""
    defaults = Settings()
    prefix = Path(environment.get("DOCKYARD_PREFIX") or _PREFIX)

    def read(name: str, convert: Callable[[str], _T], default: _T) -> _T:
        text = environment.get(name, "").strip()
        return _convert(name, text, convert) if text else default

    return Settings(
        model=read("DOCKYARD_MODEL", Path, defaults.model),
        proof=read("DOCKYARD_PROOF", Path, prefix / "proof.json"),
        image_json=read("DOCKYARD_IMAGE_JSON", Path, prefix / "image.json"),
        host=read("DOCKYARD_HOST", str, defaults.host),
        port=read("SAGEMAKER_BIND_TO_PORT", _port, read("PORT", _port, defaults.port)),
        max_body_bytes=read("DOCKYARD_MAX_BODY_BYTES", _count, defaults.max_body_bytes),
        grace_seconds=read("DOCKYARD_GRACE_SECONDS", _seconds, defaults.grace_seconds),
        quiet_seconds=read("DOCKYARD_QUIET_SECONDS", _seconds, defaults.quiet_seconds),
        request_timeout_seconds=read("DOCKYARD_REQUEST_TIMEOUT_SECONDS", _seconds, defaults.request_timeout_seconds),
        threads=read("DOCKYARD_THREADS", _count, defaults.threads),
        max_requests=read("DOCKYARD_MAX_REQUESTS", _count, defaults.max_requests),
        revision=read("DOCKYARD_REVISION", _count, None),
    )


def _convert(name: str, text: str, convert: Callable[[str], _T]) -> _T:
    try:
        return convert(text)
    except ValueError as error:
        raise SettingsError(f"{name} must be {convert.__doc__}") from error


def _port(text: str) -> int:
    """a port number (0 to 65535)"""
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(port)
    return port


def _count(text: str) -> int:
    """a whole number above 0"""
    count = int(text)
    if count < 1:
        raise ValueError(count)
    return count


def _seconds(text: str) -> float:
    """a number of seconds above 0"""
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise ValueError(seconds)
    return seconds
