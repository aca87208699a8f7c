"""A workbench for SageMaker whose ports are all in memory, with handles on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from dockyard.domain.attempt import Attempt
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import ImageSettings
from dockyard.domain.record import RecordStatus
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import DeleteRequest, RollbackRequest, SageMakerDeployRequest
from dockyard.domain.result import DeployResult
from dockyard.domain.sagemaker import Endpoint, SageMakerPolicy, SageMakerSettings
from dockyard.testing.attempts import MemoryJournal, MemoryLocks
from dockyard.testing.faults import Faults
from dockyard.testing.images import MemoryCaches, MemoryImages
from dockyard.testing.registry import MemoryQueue, MemoryRegistry
from dockyard.testing.sagemaker import MemoryAccount
from dockyard.testing.sagemaker_packages import MemoryPackages
from dockyard.testing.sagemaker_scorer import MemoryEndpointScorer, MemoryPreflight
from dockyard.testing.surroundings import ManualClock, RecordedProgress
from dockyard.usecases.deploy import deploy
from dockyard.usecases.site_sagemaker import SageMakerPorts, SageMakerSite
from dockyard.usecases.workbench import Workbench
from support.local_values import make_model
from support.memory_bench import OneSite, make_resolved
from support.sagemaker_values import ENDPOINT, KEY

VERSIONS = (1, 2, 3)
EXAMPLE_COST = "2 USD an hour"


@dataclass(kw_only=True)
class SageMakerBench:
    """Everything in memory. `faults` counts what changes the account, what is pushed to it, and the journal."""

    faults: Faults = field(default_factory=Faults)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    locks: MemoryLocks = field(default_factory=MemoryLocks)
    clock: ManualClock = field(default_factory=ManualClock)
    progress: RecordedProgress = field(default_factory=RecordedProgress)
    preflight: MemoryPreflight = field(default_factory=MemoryPreflight)
    policy: SageMakerPolicy = field(default_factory=SageMakerPolicy)
    images: MemoryImages = field(init=False)
    account: MemoryAccount = field(init=False)
    journal: MemoryJournal = field(init=False)
    scorer: MemoryEndpointScorer = field(init=False)

    def __post_init__(self) -> None:
        self.images = MemoryImages(faults=self.faults)
        self.account = MemoryAccount(faults=self.faults, images=self.images, clock=self.clock)
        self.journal = MemoryJournal(faults=self.faults)
        self.scorer = MemoryEndpointScorer(account=self.account)
        for version in VERSIONS:
            self.registry.add_model(make_resolved(version))

    @property
    def site(self) -> SageMakerSite:
        """The site of the account."""
        account = self.account
        ports = SageMakerPorts(
            account=account,
            revisions=account,
            endpoints=account,
            repositories=account,
            supplies=account,
            packages=MemoryPackages(account=account),
            preflight=self.preflight,
        )
        return SageMakerSite(ports=ports, scorer=self.scorer, clock=self.clock, policy=self.policy)

    def open(self) -> Workbench:
        """The workbench, a second later than last time."""
        self.clock.sleep(1)
        return Workbench(
            registry=self.registry,
            writer=self.registry,
            queue=self.queue,
            images=self.images,
            cleaner=self.images,
            caches=MemoryCaches(),
            sites=OneSite(self.site),
            journal=self.journal,
            locks=self.locks,
            clock=self.clock,
            progress=self.progress,
            actor="ann@laptop",
            git_revision="c0ffee",
        )

    def fail_call(self, number: int, error: BaseException, *, has_effect: bool = False) -> None:
        """Let the n-th changing call from now on fail."""
        self.faults.calls.clear()
        self.faults.at, self.faults.error, self.faults.has_effect = number, error, has_effect

    def heal(self) -> None:
        """Let nothing fail any more."""
        self.faults.at, self.faults.error = 0, None

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint as it really is."""
        state = self.account.endpoints[ENDPOINT].state
        assert state is not None
        return state

    @property
    def attempts(self) -> list[Attempt]:
        """What the registry has of history, oldest first."""
        return sorted(self.registry.attempts.values(), key=lambda one: one.started)

    def serving_version(self) -> str | None:
        """The model version that requests to the endpoint reach now."""
        endpoint = self.account.endpoints.get(ENDPOINT)
        state = endpoint.state if endpoint else None
        part = self.account.configs.get(state.serving_config or "") if state else None
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
