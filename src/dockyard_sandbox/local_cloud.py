"""An AWS account on this machine: what stands beside the sandbox's control plane when nothing is faked.

Owns the assembly of moto, the registry, containers and everything between them, and that nothing is left of it. Must not hold
logic of a part.

    with Sandbox(SandboxSettings(make_parts=LocalCloud(LocalCloudSettings(folder=..., cache=...)).make_parts)) as sandbox:
        boto3.client("s3", endpoint_url=sandbox.url, ...)
"""

from __future__ import annotations

import base64
import os
import random
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from docker import DockerClient

from dockyard_image.blobs import Blobs
from dockyard_sandbox.alarms import AlarmChanges, EvaluatedAlarms
from dockyard_sandbox.arns import ACCOUNT
from dockyard_sandbox.async_invocations import AsyncInvocations
from dockyard_sandbox.aws import Aws
from dockyard_sandbox.capture import DataCapture
from dockyard_sandbox.cbor_bridge import CborBridge
from dockyard_sandbox.container_logs import ContainerLogs
from dockyard_sandbox.docker_runner import DockerRunner, remove_leftovers
from dockyard_sandbox.ecr_service import EcrService
from dockyard_sandbox.engine import open_engine
from dockyard_sandbox.fleet import DEFAULT_LIMIT, KeptContainer, SharedFleet
from dockyard_sandbox.images import RepositoryImages
from dockyard_sandbox.invocation_log import InvocationLog
from dockyard_sandbox.invocations import Invocations, InvocationSettings
from dockyard_sandbox.metrics import LastMetrics, MetricsWriter
from dockyard_sandbox.model_data import S3ModelData
from dockyard_sandbox.moto_process import MotoProcess
from dockyard_sandbox.neighbours import Neighbours
from dockyard_sandbox.page import Page
from dockyard_sandbox.parts import Bearings, Parts
from dockyard_sandbox.process_records import end_noted_processes
from dockyard_sandbox.registry import Registry
from dockyard_sandbox.registry_tokens import RegistryTokens
from dockyard_sandbox.repositories import Repositories
from dockyard_sandbox.routes import Service
from dockyard_sandbox.runner import Container, Runner
from dockyard_sandbox.runtime import Runtime
from dockyard_sandbox.scaling_service import ScalingService
from dockyard_sandbox.surroundings import Surroundings
from dockyard_sandbox.transforms import S3Transforms
from dockyard_sandbox.trust import TrustedRoles
from dockyard_sandbox.unpacked_runner import UnpackedRunner

RunnerKind = Literal["auto", "docker", "unpacked"]
_CONTAINERS = "containers"


class NoEngineError(Exception):
    """The Docker runner was asked for, and no engine answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCloudSettings:
    """How it is set up. `folder` is its own and is gone afterwards; `cache` keeps what is slow to make."""

    folder: Path
    cache: Path
    runner: RunnerKind = "auto"
    """`auto`: a Docker engine where one answers, else processes out of unpacked images."""
    sandbox_id: str = field(default_factory=lambda: secrets.token_hex(6))
    """Tells its containers from those of others on the same engine."""
    container_limit: int = DEFAULT_LIMIT
    """How many containers a variant really gets, whatever its number of instances."""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)


class LocalCloud:
    """One account. `repositories`, `invocations`, `model_data` and `moto` are open to tests."""

    def __init__(self, settings: LocalCloudSettings) -> None:
        self.settings = settings
        self.repositories = Repositories(Blobs(settings.folder / "registry"), account=ACCOUNT)
        self.tokens = RegistryTokens()
        self.moto = MotoProcess()
        self._aws = Aws(lambda: self.moto.address)
        self._logs = ContainerLogs(self._aws)
        self._metrics = MetricsWriter(self._aws)
        self._measured = LastMetrics()
        self.invocations = InvocationLog([self._metrics, self._measured])
        self.model_data = S3ModelData(self._aws, settings.folder / "model-data")
        self._engine: DockerClient | None = None

    @property
    def has_engine(self) -> bool:
        """Whether containers run in a Docker engine; known once the parts are made."""
        return self._engine is not None

    def wait_until_ready(self) -> None:
        """Return when moto answers. Raises NoMotoError."""
        _ = self.moto.address

    def make_parts(self, bearings: Bearings) -> Parts:
        """What a sandbox needs. Raises NoEngineError."""
        try:
            runner = self._choose_runner(bearings.authority)
        except BaseException:
            self.moto.stop()
            raise
        alarms = EvaluatedAlarms(self._aws, self._measured, lambda: bearings.pace.speed)
        return Parts(
            runner=runner,
            fleet=SharedFleet(runner, self.settings.container_limit),
            surroundings=Surroundings(
                alarms=alarms,
                roles=TrustedRoles(self._aws),
                images=RepositoryImages(self.repositories),
                model_data=self.model_data,
                logs=self._logs,
                transforms=S3Transforms(self._aws),
            ),
            services=self._make_services(bearings, alarms),
            stop=lambda: self._stop(bearings.authority),
        )

    def _choose_runner(self, authority: str) -> Runner:
        self._engine = open_engine() if self.settings.runner != "unpacked" else None
        if self._engine is not None:
            return DockerRunner(
                self._engine,
                self.repositories,
                address=authority,
                sandbox_id=self.settings.sandbox_id,
                login=self._make_login,
            )
        if self.settings.runner == "docker":
            raise NoEngineError(
                "no Docker engine of this machine answers: start one, set DOCKER_HOST, or choose the runner `unpacked`"
            )
        return UnpackedRunner(
            self.repositories,
            address=authority,
            folder=self.settings.folder / _CONTAINERS,
            cache=self.settings.cache,
            environ=self.settings.environ,
        )

    def _make_login(self) -> tuple[str, str]:
        user, _, password = base64.b64decode(self.tokens.issue()[0]).decode().partition(":")
        return user, password

    def _make_services(self, bearings: Bearings, alarms: EvaluatedAlarms) -> Mapping[str, Service]:
        capture = DataCapture(self._aws, random.random)
        settings = InvocationSettings(on_silence=_revive, capture=capture.take)
        invocations = Invocations(bearings.serving, self.invocations, settings)
        queue = AsyncInvocations(invocations, self._aws, bearings.events)

        def update_cloudwatch(region: str) -> None:
            self._metrics.flush()
            alarms.evaluate(region)

        before: Mapping[str, Callable[[str], None]] = {
            "logs": self._logs.flush,
            "monitoring": update_cloudwatch,
            "s3": capture.flush,
        }
        moto = Neighbours(lambda: self.moto.address, before)
        scaling = ScalingService(bearings.serving, self._aws, moto)
        return {
            "application-autoscaling": AlarmChanges(scaling, "application-autoscaling", alarms),
            "runtime": Runtime(invocations, queue.accept),
            "monitoring": CborBridge(AlarmChanges(moto, "monitoring", alarms)),
            "ecr": EcrService(self.repositories, self.tokens, address=bearings.authority),
            "registry": Registry(self.repositories, self.tokens, address=bearings.authority),
            "page": Page(self.invocations),
            "other": moto,
        }

    def _stop(self, authority: str) -> None:
        self.moto.stop()
        if self._engine is not None:
            self._engine.close()
        clean_up(self.settings.folder, self.settings.sandbox_id, authority, has_engine=self.has_engine)


def _revive(container: Container) -> None:
    if isinstance(container, KeptContainer):
        container.revive()


def clean_up(folder: Path, sandbox_id: str, address: str, *, has_engine: bool) -> None:
    """Remove what a sandbox has left: processes, containers, images, its folder. Works for one that was killed, too."""
    end_noted_processes(folder / _CONTAINERS / "pids")
    engine = open_engine() if has_engine else None
    if engine is not None:
        remove_leftovers(engine, sandbox_id, address)
        engine.close()
    shutil.rmtree(folder, ignore_errors=True)
