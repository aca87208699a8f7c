"""The tracking server's image, built once in a session of tests and sent to the registry."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import docker
import pytest

from dockyard.domain.image import ImageDigest

ROOT = Path(__file__).parents[2]
BASE, TAG = "python", "3.11-slim-bookworm"


@pytest.fixture(scope="session")
def tracking_image(lab_engine: str, lab_registry: str, lab_environment: dict[str, str]) -> ImageDigest:
    """What nodes pull. The engine keeps the layers of packages from one run to the next."""
    repository = f"{lab_registry}/dockyard-tests/tracking-server"
    with contextlib.closing(docker.DockerClient(base_url=lab_engine, timeout=600)) as engine:
        base = engine.images.pull(BASE, tag=TAG).attrs["RepoDigests"][0]
        command = ["docker", "build", "--quiet", "--build-arg", f"BASE={base}", "--tag", repository]
        command += ["--file", str(ROOT / "dockerfiles/tracking-server/Dockerfile"), str(ROOT)]
        environment = lab_environment | {"DOCKER_HOST": lab_engine, "DOCKER_BUILDKIT": "1"}
        subprocess.run(command, env=environment, check=True, capture_output=True)
        engine.images.push(repository, tag="latest")
        digests: list[str] = engine.images.get(repository).attrs["RepoDigests"]
    return ImageDigest(next(one for one in digests if one.startswith(repository)))
