"""What a sandbox has left in a Docker engine goes, also while the engine is still removing a part of it for somebody else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
import requests
from docker.errors import APIError, ImageNotFound

from dockyard_sandbox.docker_runner import remove_leftovers

ADDRESS = "127.0.0.1:5566"
IMAGE = f"{ADDRESS}/wine@sha256:{'0' * 64}"


def refuse(status: int) -> APIError:
    """What the engine's client raises."""
    response = requests.Response()
    response.status_code = status
    return APIError("refused", response=response)


class Engine:
    """An engine with one image of the sandbox, which it refuses to remove a few times."""

    def __init__(self, *refusals: APIError) -> None:
        self.refusals = list(refusals)
        self.names = [IMAGE, "127.0.0.1:1/other@sha256:1"]
        self.containers = self.networks = SimpleNamespace(list=lambda **_: [])
        self.images = SimpleNamespace(remove=self.remove)
        self.api = SimpleNamespace(images=lambda: [{"RepoDigests": self.names}, {"RepoDigests": None}])

    def remove(self, name: str, *, force: bool) -> None:
        """Refuse, or let it go."""
        if self.refusals and not force:
            raise self.refusals.pop(0)
        self.names = [one for one in self.names if one != name]


def clean(engine: Engine, patience_seconds: float = 60) -> int:
    return remove_leftovers(cast("docker.DockerClient", cast("Any", engine)), "mine", ADDRESS, patience_seconds)


def test_image_that_a_container_holds_while_it_goes_is_removed_when_it_has_gone() -> None:
    engine = Engine(refuse(409), refuse(409))
    assert clean(engine) == 1
    assert engine.names == ["127.0.0.1:1/other@sha256:1"]


def test_image_that_a_container_of_somebody_else_keeps_loses_the_name_that_the_sandbox_gave_it() -> None:
    engine = Engine(refuse(409))
    assert clean(engine, patience_seconds=0) == 1
    assert engine.names == ["127.0.0.1:1/other@sha256:1"]


def test_image_that_somebody_else_has_removed_is_not_counted() -> None:
    assert clean(Engine(ImageNotFound("gone"))) == 0


def test_engine_that_refuses_for_another_reason_is_told_at_once() -> None:
    engine = Engine(refuse(500))
    with pytest.raises(APIError):
        clean(engine)
    assert engine.refusals == []
