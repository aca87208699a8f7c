"""The lab's Docker engine runs containers, builds images, and finds base images under their well-known names."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

pytestmark = pytest.mark.lab


@pytest.fixture(name="engine")
def engine_client(lab_engine: str, lab_registry: str) -> Iterator[docker.DockerClient]:  # noqa: ARG001 - images come from there
    with contextlib.closing(docker.DockerClient(base_url=lab_engine)) as client:
        yield client


def test_engine_runs_a_container_and_gives_its_output(engine: docker.DockerClient) -> None:
    assert engine.containers.run("busybox:latest", ["echo", "here"], remove=True, network_disabled=True) == b"here\n"


def test_python_image_runs_a_whole_python_of_its_name(engine: docker.DockerClient) -> None:
    program = (
        "import bz2, ctypes, lzma, os, pip, sqlite3, ssl, sys, zlib\n"
        "print('%d.%d' % sys.version_info[:2], sys.prefix, '%d.%d.%d' % sys.version_info[:3] == os.environ['PYTHON_VERSION'])"
    )
    said = engine.containers.run("python:3.11-slim", ["python", "-c", program], remove=True)
    assert said.decode().split() == ["3.11", "/usr/local", "True"]


def test_buildkit_builds_from_a_base_out_of_the_registry(
    engine: docker.DockerClient, lab_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox AS one\nRUN echo built >/file\nFROM busybox\nCOPY --from=one /file /file\n"
    )
    environ = lab_environment | {"DOCKER_BUILDKIT": "1"}
    command = ["docker", "build", "--quiet", "--tag", "lab-test/built:1", str(tmp_path)]
    subprocess.run(command, env=environ, check=True, capture_output=True)
    try:
        assert engine.containers.run("lab-test/built:1", ["cat", "/file"], remove=True) == b"built\n"
    finally:
        engine.images.remove("lab-test/built:1", force=True)
