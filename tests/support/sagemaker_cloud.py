"""An AWS account for tests of what Dockyard does to it: the sandbox with its own registry and moto, and fake containers.

A container answers with the digest of its image, so that whoever asks an endpoint knows which revision serves. An image that is
not in the registry cannot be started.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from dockyard.adapters.sagemaker.session import Session
from dockyard_image.reference import parse_reference
from dockyard_sandbox.faults import Rule
from dockyard_sandbox.fleet import SharedFleet
from dockyard_sandbox.local_cloud import LocalCloud, LocalCloudSettings
from dockyard_sandbox.parts import Bearings, Parts
from dockyard_sandbox.repositories import EcrError, Repositories
from dockyard_sandbox.runner import Container, ContainerSpec, ImagePullError
from dockyard_sandbox.sandbox import Sandbox, SandboxSettings
from dockyard_sandbox.testing import FakeContainer, FakeImage, FakeRunner
from support.quick_aws import open_quick_session, shorten
from support.sagemaker_scene import BUCKET, Keep, Scene, Wire, answer_of, keep_in_memory, open_wire

if TYPE_CHECKING:
    from support.sagemaker_plays import Play

INSTANCES = 200
"""The quota: what tests have created waits for those that delete it."""
SPEED = 5000
"""How many of AWS's seconds pass in one of ours."""


@dataclass(kw_only=True)
class RegistryRunner(FakeRunner):
    """Runs what is in the registry."""

    repositories: Repositories

    @override
    def start(self, spec: ContainerSpec) -> Container:
        behaviour = FakeImage(answer=json.dumps(answer_of(self.resolve_digest(spec.image))).encode())
        container = FakeContainer(self, behaviour)
        with self._lock:
            self.running.append(container)
        spec.log("ready")
        return container

    @override
    def resolve_digest(self, image: str) -> str:
        reference = parse_reference(image)
        try:
            pushed = self.repositories.find_image(reference.repository, reference.selector)
        except EcrError as error:
            raise ImagePullError(str(error)) from error
        if pushed is None:
            raise ImagePullError(f"{image} does not exist")
        return pushed.digest


@dataclass(kw_only=True)
class SageMakerCloud:
    """The account, the ways of Dockyard's to it, and a session of the tests'."""

    sandbox: Sandbox
    folder: Path
    wire: Wire
    """In this process."""
    far: Wire
    """Over HTTP, as everybody else has it."""
    eyes: Session
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    resting: dict[str, list[Play]] = field(default_factory=dict)
    """What tests leave for those after them."""

    def make_scene(self, keep: Keep = keep_in_memory) -> Scene:
        """A deployment of which there is nothing yet."""
        name = f"wine-{next(self._numbers)}"
        return Scene(name=name, wire=self.wire, local=keep(self.folder / name))

    @property
    def port(self) -> int:
        """Where everything answers."""
        return int(self.sandbox.url.rpartition(":")[2])

    def script(self, *rules: Rule) -> None:
        """Let these things go wrong, and no others."""
        self.sandbox.faults.script(rules)

    def list_calls(self, *, mutating: bool = True) -> list[str]:
        """The calls since they were forgotten, as `service:operation`; those that change something, or all."""
        calls = (call.site for call in self.sandbox.calls.list_calls())
        return [f"{one.service}:{one.operation}" for one in calls if one.mutating or not mutating]


@contextmanager
def open_sagemaker_cloud(folder: Path) -> Iterator[SageMakerCloud]:
    """An account for as long as a block lasts."""
    local = LocalCloud(LocalCloudSettings(folder=folder / "sandbox", cache=folder / "cache", runner="unpacked"))
    runner = RegistryRunner(repositories=local.repositories)

    def make_parts(bearings: Bearings) -> Parts:
        return dataclasses.replace(local.make_parts(bearings), runner=runner, fleet=SharedFleet(runner))

    with Sandbox(SandboxSettings(make_parts=make_parts, speed=SPEED, startup_speed=480)) as sandbox:
        near, eyes, far = (open_quick_session(sandbox.environment) for _ in range(3))
        for session in (near, eyes):
            shorten(session, sandbox)
        sandbox.quotas.change({"ml.m5.large": INSTANCES})
        eyes.client("s3").create_bucket(Bucket=BUCKET)
        wires = [open_wire(session, folder) for session in (near, far)]
        yield SageMakerCloud(sandbox=sandbox, folder=folder, wire=wires[0], far=wires[1], eyes=eyes)
        for wire in wires:
            wire.registries.close()
        defects = [event.text for event in sandbox.events.list_events() if event.kind == "defect"]
    assert defects == []
    assert not runner.running


@pytest.fixture(scope="session")
def sagemaker_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SageMakerCloud]:
    """The account of all tests of a worker: what each makes has a name of its own."""
    with open_sagemaker_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud
