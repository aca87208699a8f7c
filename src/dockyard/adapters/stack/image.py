"""Owns how a new local stack runs where that was left open, and the image that is built when none is named."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dockyard
from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import UnavailableError, UsageError
from dockyard.domain.stack import StackWish

RunProgram = Callable[[list[str]], "subprocess.CompletedProcess[str]"]
DOCKERFILE = "dockerfiles/tracking-server/Dockerfile"
TAG = f"dockyard-tracking-server:{dockyard.__version__}"


def settle_wish(wish: StackWish, here: Path, run: RunProgram, has_engine: Callable[[], bool]) -> StackWish:
    """Containers where an image is named, or where an engine answers and one can be built. Raises `usage`, `docker-failed`."""
    can_build = (here / DOCKERFILE).is_file()
    runtime = wish.runtime
    if runtime is Runtime.AUTO:
        runtime = Runtime.DOCKER if wish.image or (can_build and has_engine()) else Runtime.PROCESS
    if runtime is Runtime.PROCESS or wish.image:
        return replace(wish, runtime=runtime)
    if not can_build:
        raise UsageError(
            "usage",
            "containers need the tracking server's image",
            hint=f"give `--image`, or be in Dockyard's repository, where {DOCKERFILE} is",
        )
    _build(here, run)
    return replace(wish, runtime=runtime, image=TAG)


def _build(here: Path, run: RunProgram) -> None:
    try:
        ended = run(["docker", "build", "--file", str(here / DOCKERFILE), "--tag", TAG, str(here)])
    except FileNotFoundError:
        hint = "install Docker's command line, or give `--image`"
        raise UnavailableError("docker-failed", "there is no program `docker` to build the image with", hint=hint) from None
    if ended.returncode != 0:
        details = tuple(ended.stderr.splitlines()[-20:])
        raise UnavailableError("docker-failed", f"{DOCKERFILE} does not build", details=details)
