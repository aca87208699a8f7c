"""The sandbox put together: state, services and server, for as long as a `with` block lasts.

Owns the assembly. Must not hold logic of a part.

    with Sandbox(SandboxSettings()) as sandbox:
        boto3.client("sagemaker", endpoint_url=sandbox.url, ...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from typing_extensions import Self

from dockyard_sandbox.admin import Admin, Insides
from dockyard_sandbox.arns import read_kind
from dockyard_sandbox.calls import Calls
from dockyard_sandbox.control import ControlPlane
from dockyard_sandbox.endpoint_runs import Tools
from dockyard_sandbox.endpoints import Endpoints
from dockyard_sandbox.events import Events
from dockyard_sandbox.faults import Faults
from dockyard_sandbox.front import Front, Logs
from dockyard_sandbox.launch import Launcher
from dockyard_sandbox.offer import Backing, offer_operations
from dockyard_sandbox.pace import TEST_SPEED, Pace
from dockyard_sandbox.routes import DEFAULT_REGION, Service
from dockyard_sandbox.runner import Container, ContainerSpec, Runner
from dockyard_sandbox.server import Server
from dockyard_sandbox.serving import Serving
from dockyard_sandbox.surroundings import Fleet, Surroundings
from dockyard_sandbox.workers import Workers
from dockyard_sandbox.world import Worlds

_SERVICES = (
    "SAGEMAKER",
    "SAGEMAKER_RUNTIME",
    "ECR",
    "S3",
    "STS",
    "IAM",
    "CLOUDWATCH",
    "CLOUDWATCH_LOGS",
    "APPLICATION_AUTO_SCALING",
)
_MORE_SERVICES = ("SNS", "KMS", "EC2", "SERVICE_QUOTAS", "PRICING")

MakeServices = Callable[[Serving], Mapping[str, Service]]
"""Makes the services of `routes` that stand beside the control plane, out of its view of the endpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What a sandbox is made of. `runner` starts containers; the others default to an account where nothing is wrong."""

    runner: Runner
    fleet: Fleet | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)
    make_services: MakeServices = lambda _serving: {}
    port: int = 0
    region: str = DEFAULT_REGION
    speed: float = TEST_SPEED
    startup_speed: float = 16.0
    grace_seconds: float = 30.0


class Sandbox:
    """A running sandbox. `calls`, `faults`, `events`, `pace` and `worlds` are open to tests."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.calls = Calls()
        self.faults = Faults()
        self.events = Events()
        self.pace = Pace(settings.speed, settings.startup_speed)
        self.worlds = Worlds(self.faults.consistency_delay)
        self._workers = Workers(self.events)
        self._launcher = Launcher(settings.runner, settings.fleet or OneEach(settings.runner), settings.surroundings, self.pace)
        self._launcher.grace_seconds = settings.grace_seconds
        tools = Tools(
            pace=self.pace,
            faults=self.faults,
            events=self.events,
            launcher=self._launcher,
            alarms=settings.surroundings.alarms,
        )
        self.endpoints = Endpoints(self.worlds, tools, self._workers)
        self._server = Server(self._make_front(tools).answer, settings.port)

    @property
    def url(self) -> str:
        """The address of everything."""
        return self._server.url

    @property
    def environment(self) -> dict[str, str]:
        """What AWS's clients need in their environment."""
        urls = {f"AWS_ENDPOINT_URL_{service}": self.url for service in _SERVICES + _MORE_SERVICES}
        return {
            "AWS_ENDPOINT_URL": self.url,
            **urls,
            "AWS_ACCESS_KEY_ID": "AKIASANDBOXSANDBOX00",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_REGION": self.settings.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering, end what is in progress, stop every container."""
        self._server.stop()
        self.pace.close()
        self.faults.clear()
        self._workers.join()
        self._launcher.grace_seconds = min(2.0, self.settings.grace_seconds)
        self.endpoints.stop_all()

    def _make_front(self, tools: Tools) -> Front:
        backing = Backing(
            endpoints=self.endpoints,
            tools=tools,
            workers=self._workers,
            calls=self.calls,
            surroundings=self.settings.surroundings,
        )
        insides = Insides(worlds=self.worlds, calls=self.calls, faults=self.faults, events=self.events, pace=self.pace)
        services: dict[str, Service] = {
            **self.settings.make_services(self.endpoints),
            "sagemaker": ControlPlane(self.worlds, offer_operations(backing)),
            "admin": Admin(insides),
        }
        return Front(services, Logs(faults=self.faults, calls=self.calls, events=self.events), self._change_endpoint)

    def _change_endpoint(self, region: str, arn: str, in_progress: bool) -> None:
        _, name = read_kind(arn)
        self.endpoints.change_as_someone_else(self.worlds.in_region(region), name, in_progress=in_progress)


class OneEach:
    """A container for every instance."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def start(self, spec: ContainerSpec, count: int) -> Sequence[Container]:
        """Start so many; all or none."""
        started: list[Container] = []
        try:
            for _ in range(count):
                started.append(self._runner.start(spec))  # noqa: PERF401 what has started must be known on failure
        except Exception:
            for container in started:
                container.stop(0)
            raise
        return started
