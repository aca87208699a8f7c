"""A workbench for SageMaker whose ports are all in memory, with handles on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from dockyard.domain.errors import DockyardError
from dockyard.domain.image import ImageSettings
from dockyard.domain.record import RecordStatus
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import DeleteRequest, RollbackRequest, SageMakerDeployRequest
from dockyard.domain.result import DeployResult
from dockyard.domain.sagemaker import Endpoint, SageMakerPolicy, SageMakerSettings
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.testing.images import MemoryImages
from dockyard.testing.learning_containers import MemoryLearningContainers
from dockyard.testing.sagemaker import MemoryAccount
from dockyard.testing.sagemaker_components import MemoryComponents
from dockyard.testing.sagemaker_packages import MemoryPackages
from dockyard.testing.sagemaker_scorer import MemoryEndpointScorer, MemoryPreflight
from dockyard.testing.surroundings import ManualClock
from dockyard.usecases.deploy import deploy
from dockyard.usecases.site_sagemaker import SageMakerPorts, SageMakerSite
from support.any_bench import VERSIONS, AnyBench
from support.local_values import make_model
from support.sagemaker_values import ENDPOINT, KEY

EXAMPLE_COST = "2 USD an hour"


@dataclass(kw_only=True)
class SageMakerBench(AnyBench):
    """Everything in memory, and an account to deploy to."""

    preflight: MemoryPreflight = field(default_factory=MemoryPreflight)
    containers: MemoryLearningContainers = field(default_factory=MemoryLearningContainers)
    policy: SageMakerPolicy = field(default_factory=SageMakerPolicy)
    component: Component | None = None
    """What deployments of its commands have."""
    account: MemoryAccount = field(init=False)
    scorer: MemoryEndpointScorer = field(init=False)

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        self.images = MemoryImages(faults=self.faults)  # pushing to the account changes it
        self.account = MemoryAccount(faults=self.faults, images=self.images, clock=self.clock)
        self.scorer = MemoryEndpointScorer(account=self.account)

    @property
    @override
    def site(self) -> SageMakerSite:
        account = self.account
        ports = SageMakerPorts(
            account=account,
            revisions=account,
            endpoints=account,
            components=MemoryComponents(account=account),
            repositories=account,
            supplies=account,
            packages=MemoryPackages(account=account),
            preflight=self.preflight,
            containers=self.containers,
        )
        return SageMakerSite(ports=ports, scorer=self.scorer, clock=self.clock, policy=self.policy)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as it really is."""
        state = self.account.endpoints[ENDPOINT].state
        assert state is not None
        return state

    def serving_version(self) -> str | None:
        """The model version that requests to the endpoint reach now."""
        endpoint = self.account.endpoints.get(ENDPOINT)
        state = endpoint.state if endpoint else None
        part = self.account.models.get(state.serving_config or "") if state else None
        return part.spec.model.version if part else None

    def record_status(self, version: int) -> RecordStatus | None:
        """What the record on a model version says."""
        record = self.registry.find_record(KEY, make_model(version))
        return record.status if record else None

    def list_recorded(self) -> list[str]:
        """The versions whose record says that they serve."""
        return [str(one) for one in VERSIONS if self.record_status(one) is RecordStatus.SERVING]

    def list_things(self) -> list[str]:
        """All that there is in the account, by kind and, for revisions, version."""
        account = self.account
        parts = {"model": account.models, "config": account.configs}
        found = [f"{kind} {one.spec.model.version}" for kind, there in parts.items() for one in there.values()]
        others: dict[str, Iterable[str]] = {
            "endpoint": account.endpoints,
            "host": account.host_configs,
            "component": [
                one.name for one in account.list_states() if isinstance(one, HostEndpoint) and one.component is not None
            ],
            "role": account.roles,
            "repository": account.repositories,
            "alarms": account.alarms,
            "scaling": account.scaling,
            "data": account.uploads,
            "group": account.packages.groups,
            "package": [arn for group in account.packages.groups.values() for arn, _ in group.versions.values()],
        }
        found += [f"{kind} {name}" for kind, there in others.items() for name in there]
        return sorted([*found, *(f"image {one.rpartition('@')[2]}" for one in set(self.images.pushed.values()))])


def want(version: int | str = 1, **fields: object) -> SageMakerDeployRequest:
    """A request for a version of `wine`; what is not a field of requests is a setting."""
    text = f"models:/wine/{version}" if isinstance(version, int) else version
    values: dict[str, object] = {"key": KEY, "image": ImageSettings(), "policy": SageMakerPolicy()}
    values |= {name: fields.pop(name) for name in ("promote", "history_limit", "policy", "key", "image") if name in fields}
    return SageMakerDeployRequest(
        ref=parse_model_ref(text),
        settings=SageMakerSettings(**{"role": "", **fields}),  # type: ignore[arg-type]
        **values,  # type: ignore[arg-type]
    )


NO_WAIT = SageMakerPolicy(wait=False)
ROLLBACK = RollbackRequest(key=KEY)
DELETE = DeleteRequest(key=KEY)
ONE = ["config 1", "endpoint wine", "model 1", "repository dockyard/wine", "role dockyard-wine"]
"""What there is of version 1, images aside."""


def run(bench: SageMakerBench, version: int = 1, **fields: object) -> DeployResult:
    """Deploy a version."""
    return deploy(bench.open(), want(version, **fields), plan_only=False)


def list_without_images(bench: SageMakerBench) -> list[str]:
    """All that there is, images aside."""
    return [thing for thing in bench.list_things() if not thing.startswith("image")]


def list_calls(bench: SageMakerBench) -> list[str]:
    """The changing calls, journal aside."""
    return [call.split()[0] for call in bench.faults.calls if not call.startswith("save_attempt")]


@dataclass(kw_only=True)
class ActingClock(ManualClock):
    """Something happens when it is waited for the n-th time."""

    sleeps: int = 0
    act: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Let time pass, and it happen."""
        super().sleep(seconds)
        self.sleeps -= 1
        if self.sleeps == 0:
            self.act()


def press_control_c() -> None:
    """As somebody at a terminal does."""
    raise KeyboardInterrupt


def run_failing(bench: SageMakerBench, call: str, *, has_effect: bool) -> None:
    """Deploy where a call is refused."""
    planned = SageMakerBench()
    run(planned)
    number = next(n for n, one in enumerate(planned.faults.calls, start=1) if one.startswith(call))
    bench.fail_call(number, DockyardError("aws-refused", "it says so"), has_effect=has_effect)
    with pytest.raises(DockyardError, match="it says so"):
        run(bench)
    bench.heal()
