"""How a new local stack runs follows from what was said, from the engine, and from whether its image can be built here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from dockyard.adapters.stack.container_parts import MYSQL_IMAGE, S3_IMAGE
from dockyard.adapters.stack.image import DOCKERFILE, TAG, settle_wish
from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import DockyardError
from dockyard.domain.stack import StackKind, StackWish

ROOT = Path(__file__).parents[3]
AUTO = StackWish(name="team", kind=StackKind.LOCAL, runtime=Runtime.AUTO)


def settle(
    *, here: Path, has_engine: bool = True, image: str | None = None, runtime: Runtime = Runtime.AUTO, code: int = 0
) -> str:
    """Runtime, image, and the command that built it."""
    commands: list[list[str]] = []

    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, code, "", "no such base")

    wish = StackWish(name="team", kind=StackKind.LOCAL, runtime=runtime, image=image)
    settled = settle_wish(wish, here, run, lambda: has_engine)
    return f"{settled.runtime.value} {settled.image} {[' '.join(one[:2]) for one in commands]}"


def test_containers_run_where_an_engine_answers_and_the_image_is_named_or_can_be_built(tmp_path: Path) -> None:
    assert settle(here=ROOT) == f"docker {TAG} ['docker build']"
    assert settle(here=ROOT, has_engine=False) == "process None []"
    assert settle(here=tmp_path) == "process None []"
    assert settle(here=tmp_path, image="tracking:1") == "docker tracking:1 []"
    assert settle(here=ROOT, runtime=Runtime.PROCESS) == "process None []"


def test_image_that_cannot_be_had_is_an_error_and_no_other_stack(tmp_path: Path) -> None:
    with pytest.raises(DockyardError, match="need the tracking server's image") as refused:
        settle(here=tmp_path, runtime=Runtime.DOCKER)
    assert DOCKERFILE in str(refused.value.hint)
    with pytest.raises(DockyardError, match="does not build") as failed:
        settle(here=ROOT, code=1)
    assert failed.value.details == ("no such base",)

    def run_nothing(command: list[str]) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(command[0])

    with pytest.raises(DockyardError, match="no program `docker`"):
        settle_wish(AUTO, ROOT, run_nothing, lambda: True)


def test_database_and_object_store_are_those_of_the_chart() -> None:
    values = yaml.safe_load((ROOT / "helm/tracking/values.yaml").read_text())
    assert (values["mysql"]["image"], values["objectStore"]["image"]) == (MYSQL_IMAGE, S3_IMAGE)
