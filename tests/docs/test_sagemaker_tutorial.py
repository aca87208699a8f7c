"""The tutorial on SageMaker, typed as its reader would, in a sandbox with real containers."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from support.console import ROOT, Shell, open_shell
from support.ports import reserve_port
from support.sandbox_images import list_pulled

TUTORIAL = ROOT / "docs" / "tutorial" / "sagemaker.md"
SANDBOX_PORT = "5566"
UP = "dockyard sandbox up"
pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture
def shell(tmp_path: Path, session_folder: Path, lab_engine: str, lab_registry: str) -> Iterator[Shell]:
    """A shell with a Docker engine, and the lab's registry in the place of Docker Hub."""
    opened = open_shell(tmp_path, home=tmp_path / "home", cache=session_folder / "stage" / "cache")
    port = str(reserve_port())
    kept = {name: value for name, value in opened.environ.items() if not name.startswith("AWS_")}
    parts = {"DOCKER_HOST": lab_engine, "DOCKYARD_IMAGE__MIRRORS": json.dumps({"docker.io": [f"http://{lab_registry}"]})}
    shell = dataclasses.replace(
        opened, environ={**kept, **parts}, replaced=((UP, f"{UP} --runner docker --port {port}"), (SANDBOX_PORT, port))
    )
    yield shell
    shell.run(("dockyard sandbox down",))


def test_tutorial_prints_what_it_shows_and_leaves_nothing_on_the_engine(shell: Shell, lab_engine: str) -> None:
    wrong = shell.find_wrong(TUTORIAL)

    assert wrong == [], "\n\n".join(wrong)
    with contextlib.closing(docker.DockerClient(base_url=lab_engine)) as engine:
        left = list_pulled(engine, f"127.0.0.1:{dict(shell.replaced)[SANDBOX_PORT]}")
    assert left == [], "an image that a container runs cannot be removed"
