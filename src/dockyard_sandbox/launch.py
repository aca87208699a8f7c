"""Starts the containers of a variant or an inference component: model to image, data, limits, health.

Owns what SageMaker gives a container. Must not know states of endpoints: it either returns healthy containers, or
raises and leaves none.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockyard_sandbox.endpoint_state import DeployedImage, Replica
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.health import becomes_healthy
from dockyard_sandbox.instances import find_architecture, find_memory_mb
from dockyard_sandbox.pace import Pace
from dockyard_sandbox.runner import Container, ContainerSpec, Runner, RunnerError
from dockyard_sandbox.surroundings import Fleet, ModelDataError, ModelSource, Surroundings

STARTUP_SECONDS = 480
SERVERLESS_STARTUP_SECONDS = 180
_SERVERLESS_USER = "1000:1000"
_STOPPING_AT_ONCE = 8


class LaunchError(Exception):
    """Containers could not be started; `reason` is a FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelContainer:
    """What a model says of its container."""

    image: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    source: ModelSource | None = None
    isolated: bool = False

    def with_environment(self, more: Mapping[str, str]) -> ModelContainer:
        """The container with more variables, which win."""
        return replace(self, environment={**self.environment, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOrder:
    """Containers to start. `label` is what messages call them; `log_group` and `stream` where their lines go."""

    model: ModelContainer
    label: str
    region: str
    log_group: str
    stream: str
    count: int
    definition: Fields
    """Of the production variant: instance type, serverless memory, start-up time."""
    memory_mb: int | None = None
    """Instead of what the definition says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """What was started."""

    image: DeployedImage
    replicas: tuple[Replica, ...]


class Launcher:
    """Starts and stops containers by way of a runner and a fleet."""

    def __init__(self, runner: Runner, fleet: Fleet, surroundings: Surroundings, pace: Pace) -> None:
        self._runner = runner
        self._fleet = fleet
        self._surroundings = surroundings
        self._pace = pace
        self.grace_seconds = 30.0

    def has_image(self, image: str) -> bool:
        """Whether an image can be had."""
        try:
            self._runner.resolve_digest(image)
        except RunnerError:
            return False
        return True

    def launch(self, order: LaunchOrder) -> Launched:
        """Start containers and return them once each passes `/ping`. Raises LaunchError with none left running."""
        image = self._resolve(order.model.image)
        instance = f"{order.stream}/i-{uuid.uuid4().hex[:17]}"
        self._check_architecture(order, image, instance)
        spec = self._make_spec(order, image, instance)
        containers = self._start(spec, order.count)
        self._wait_until_healthy(containers, order)
        return Launched(image=image, replicas=tuple(Replica(container=one, instance=instance) for one in containers))

    def stop(self, replicas: Iterable[Replica]) -> None:
        """SIGTERM, and SIGKILL after the grace."""
        containers = [replica.container for replica in replicas]
        if not containers:
            return
        with ThreadPoolExecutor(min(len(containers), _STOPPING_AT_ONCE)) as pool:
            list(pool.map(lambda container: container.stop(self.grace_seconds), containers))

    def _resolve(self, image: str) -> DeployedImage:
        try:
            digest = self._runner.resolve_digest(image)
        except RunnerError as error:
            raise LaunchError(f"Failed to pull image {image}: {error.reason}") from error
        return DeployedImage(specified=image, resolved=f"{strip_tag(image)}@{digest}", resolved_at=time.time())

    def _check_architecture(self, order: LaunchOrder, image: DeployedImage, instance: str) -> None:
        """An image for other machines is not refused: its container never starts, and the time for that passes."""
        found = self._surroundings.images.find_architectures(image.resolved)
        wanted = find_architecture(order.definition.text("InstanceType"))
        if not found or wanted in found:
            return
        self._make_log(order, instance)("exec format error")
        self._pace.sleep(STARTUP_SECONDS)
        raise LaunchError(explain_ping(order.label))

    def _make_spec(self, order: LaunchOrder, image: DeployedImage, instance: str) -> ContainerSpec:
        serverless = order.definition.child("ServerlessConfig")
        return ContainerSpec(
            image=image.resolved,
            log=self._make_log(order, instance),
            environment={"AWS_REGION": order.region, "SAGEMAKER_REGION": order.region, **order.model.environment},
            model_data=self._fetch(order.model.source),
            memory_mb=order.memory_mb
            or serverless.whole("MemorySizeInMB")
            or find_memory_mb(order.definition.text("InstanceType")),
            network=not order.model.isolated,
            user=_SERVERLESS_USER if serverless else None,
        )

    def _make_log(self, order: LaunchOrder, instance: str) -> Callable[[str], None]:
        logs = self._surroundings.logs
        return lambda line: logs.write(order.region, order.log_group, instance, line)

    def _fetch(self, source: ModelSource | None) -> Path | None:
        if source is None:
            return None
        try:
            return self._surroundings.model_data.fetch(source)
        except ModelDataError as error:
            raise LaunchError(error.reason) from error

    def _start(self, spec: ContainerSpec, count: int) -> Sequence[Container]:
        if not count:
            return ()
        try:
            return self._fleet.start(spec, count)
        except RunnerError as error:
            raise LaunchError(error.reason) from error

    def _wait_until_healthy(self, containers: Sequence[Container], order: LaunchOrder) -> None:
        default = SERVERLESS_STARTUP_SECONDS if "ServerlessConfig" in order.definition else STARTUP_SECONDS
        allowed = order.definition.whole("ContainerStartupHealthCheckTimeoutInSeconds", default)
        seconds = self._pace.startup_seconds(allowed)
        if all(becomes_healthy(container, seconds, self._pace) for container in containers):
            return
        for container in containers:
            container.stop(0)
        raise LaunchError(explain_ping(order.label))


def explain_ping(label: str) -> str:
    """The FailureReason of a container that does not become healthy."""
    return (
        f"The primary container for {label} did not pass the ping health check. Please check CloudWatch logs for this endpoint."
    )


def explain_capacity() -> str:
    """The FailureReason of a region without free machines of the kind."""
    return (
        "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. "
        "Please retry using a different ML instance type or after some time."
    )


def strip_tag(image: str) -> str:
    """The repository of an image reference."""
    repository = image.partition("@")[0]
    folder, slash, last = repository.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"
