"""The sandbox put together: state, services and server, for as long as a `with` block lasts.

Owns the assembly. Must not hold logic of a part.

    with Sandbox(SandboxSettings(make_parts=...)) as sandbox:
        boto3.client("sagemaker", endpoint_url=sandbox.url, ...)
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from typing_extensions import Self

from dockyard_sandbox.admin import Admin, Insides
from dockyard_sandbox.arns import read_kind
from dockyard_sandbox.calls import Calls
from dockyard_sandbox.control import ControlPlane
from dockyard_sandbox.endpoint_runs import Tools
from dockyard_sandbox.endpoints import Endpoints
from dockyard_sandbox.events import Events
from dockyard_sandbox.faults import Faults, Rule
from dockyard_sandbox.front import Front, Records
from dockyard_sandbox.guard import Guard
from dockyard_sandbox.iam_service import IamService
from dockyard_sandbox.launch import Launcher
from dockyard_sandbox.offer import Backing, offer_operations
from dockyard_sandbox.operations.pricing import offer_pricing_operations
from dockyard_sandbox.operations.quotas import QuotaOperations
from dockyard_sandbox.pace import TEST_SPEED, Pace
from dockyard_sandbox.parts import Bearings, MakeParts, Parts
from dockyard_sandbox.quotas import Quotas
from dockyard_sandbox.routes import DEFAULT_REGION, HttpRequest, HttpResponse, Service
from dockyard_sandbox.server import Server
from dockyard_sandbox.serving import ServingEndpoint
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
    "SNS",
    "KMS",
    "EC2",
    "SERVICE_QUOTAS",
    "PRICING",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How a sandbox is. The speeds are `pace`'s: how many of AWS's seconds pass in one of ours."""

    make_parts: MakeParts
    port: int = 0
    region: str = DEFAULT_REGION
    speed: float = TEST_SPEED
    startup_speed: float = 16.0
    grace_seconds: float = 30.0


class Sandbox:
    """A running sandbox. `calls`, `faults`, `events`, `pace`, `quotas`, `guard` and `worlds` are open to tests."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.calls = Calls()
        self.faults = Faults()
        self.events = Events()
        self.pace = Pace(settings.speed, settings.startup_speed)
        self.quotas = Quotas()
        self.guard = Guard()
        self.worlds = Worlds(self.faults.consistency_delay)
        self._workers = Workers(self.events)
        self._server = Server(self.answer, settings.port)
        self._parts = self._make_parts()
        self._launcher = Launcher(self._parts.runner, self._parts.choose_fleet(), self._parts.surroundings, self.pace)
        self._launcher.grace_seconds = settings.grace_seconds
        tools = self._gather_tools(self._parts)
        self.endpoints = Endpoints(self.worlds, tools, self._workers)
        self._front = self._make_front(tools, self._parts)

    @property
    def url(self) -> str:
        """The address of everything."""
        return self._server.url

    @property
    def offered(self) -> frozenset[str]:
        """SageMaker's operations that it carries out; the others it refuses with UnknownOperationException."""
        return self._control.offered

    @property
    def environment(self) -> dict[str, str]:
        """What AWS's clients need in their environment."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            **{f"AWS_ENDPOINT_URL_{service}": self.url for service in _SERVICES},
            "AWS_ACCESS_KEY_ID": "SANDBOX-ACCESS-KEY",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_REGION": self.settings.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def close(self) -> None:
        """Stop answering, end what is in progress, stop every container and what the parts started."""
        self._server.stop()
        self.pace.close()
        self.faults.clear()
        self._launcher.grace_seconds = min(2.0, self.settings.grace_seconds)
        self._workers.join()
        self.endpoints.stop_all()
        self._parts.stop()

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request, however it came. Raises ConnectionCut where none shall be given."""
        return self._front.answer(request)

    def find_serving(self, region: str, name: str) -> ServingEndpoint | None:
        """What the data plane sees of an endpoint."""
        return self.endpoints.find_serving(region, name)

    def _make_parts(self) -> Parts:
        try:
            return self.settings.make_parts(
                Bearings(
                    port=self._server.port,
                    region=self.settings.region,
                    serving=self,
                    events=self.events,
                    pace=self.pace,
                )
            )
        except BaseException:
            self._server.stop()
            raise

    def _gather_tools(self, parts: Parts) -> Tools:
        return Tools(
            pace=self.pace,
            faults=self.faults,
            events=self.events,
            launcher=self._launcher,
            alarms=parts.surroundings.alarms,
        )

    def _make_front(self, tools: Tools, parts: Parts) -> Front:
        backing = Backing(
            endpoints=self.endpoints,
            tools=tools,
            workers=self._workers,
            calls=self.calls,
            surroundings=parts.surroundings,
            quotas=self.quotas,
        )
        self._control = ControlPlane(self.worlds, offer_operations(backing))
        self.admin = Admin(self._show_insides())
        services: dict[str, Service] = {
            **parts.services,
            "iam": IamService(self.guard, parts.services.get("iam") or parts.services.get("other")),
            "sagemaker": self._control,
            "servicequotas": ControlPlane(self.worlds, QuotaOperations(self.quotas).offer(), "service-quotas"),
            "pricing": ControlPlane(self.worlds, offer_pricing_operations(), "pricing"),
            "admin": self.admin,
        }
        records = Records(faults=self.faults, calls=self.calls, events=self.events, guard=self.guard)
        return Front(services, records, self._interfere)

    def _show_insides(self) -> Insides:
        return Insides(
            worlds=self.worlds,
            calls=self.calls,
            faults=self.faults,
            events=self.events,
            pace=self.pace,
            quotas=self.quotas,
            guard=self.guard,
        )

    def _interfere(self, region: str, arn: str, rule: Rule) -> None:
        _, name = read_kind(arn)
        self.endpoints.interfere(self.worlds.in_region(region), name, rule)
