"""A workbench whose ports are all in memory, with handles on each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dockyard.domain.attempt import Attempt
from dockyard.domain.deployment import LocalSettings, Runtime
from dockyard.domain.image import ImageSettings
from dockyard.domain.model import ModelVersion
from dockyard.domain.reference import parse_model_ref
from dockyard.domain.request import DeleteRequest, LocalDeployRequest, RollbackRequest
from dockyard.ports import ResolvedModel
from dockyard.testing.attempts import MemoryJournal, MemoryLocks, MemoryScorer
from dockyard.testing.faults import Faults
from dockyard.testing.images import MemoryCaches, MemoryImages
from dockyard.testing.local import MemoryMachine
from dockyard.testing.registry import MemoryQueue, MemoryRegistry
from dockyard.testing.surroundings import ManualClock, RecordedProgress
from dockyard.usecases.site import Site
from dockyard.usecases.site_local import LocalSite
from dockyard.usecases.workbench import Workbench
from support.local_values import KEY, make_model


def make_resolved(version: int, *, name: str | None = "wine") -> ResolvedModel:
    """A resolved model version whose files nobody looks at."""
    model = ModelVersion(
        identity=make_model(version, name=name),
        flavors=("python_function",),
        signature=None,
        requirements=(),
        python="3.11",
        size_bytes=10,
        created=None,
        has_input_example=True,
    )
    return ResolvedModel(version=model, folder=Path("nowhere"))


@dataclass
class OneSite:
    """A single place, for every environment."""

    site: Site

    def find(self, environment: str) -> Site:
        """As Sites."""
        assert environment
        return self.site

    def list(self) -> tuple[Site, ...]:
        """As Sites."""
        return (self.site,)


@dataclass(kw_only=True)
class MemoryBench:
    """Everything in memory. `faults` counts what changes the machine or the journal."""

    faults: Faults = field(default_factory=Faults)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    images: MemoryImages = field(default_factory=MemoryImages)
    caches: MemoryCaches = field(default_factory=MemoryCaches)
    locks: MemoryLocks = field(default_factory=MemoryLocks)
    clock: ManualClock = field(default_factory=ManualClock)
    progress: RecordedProgress = field(default_factory=RecordedProgress)
    machine: MemoryMachine = field(init=False)
    journal: MemoryJournal = field(init=False)
    scorer: MemoryScorer = field(init=False)

    def __post_init__(self) -> None:
        self.machine = MemoryMachine(faults=self.faults, clock=self.clock)
        self.journal = MemoryJournal(faults=self.faults)
        self.scorer = MemoryScorer(host=self.machine, inventory=self.machine)
        for version in (1, 2, 3):
            self.registry.add_model(make_resolved(version))
        self.registry.add_model(make_resolved(9, name=None), "./folder")

    def open(self) -> Workbench:
        """The workbench, a second later than last time."""
        self.clock.sleep(1)
        return Workbench(
            registry=self.registry,
            writer=self.registry,
            queue=self.queue,
            images=self.images,
            cleaner=self.images,
            caches=self.caches,
            sites=OneSite(LocalSite(host=self.machine, inventory=self.machine, machine=self.machine, scorer=self.scorer)),
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
    def attempts(self) -> list[Attempt]:
        """What the registry has of history, oldest first."""
        return sorted(self.registry.attempts.values(), key=lambda one: one.started)

    def serving_version(self) -> str | None:
        """The model version that requests to the deployment's port reach now."""
        local = self.machine.describe_deployment(KEY)
        revision = local.serving_revision
        return revision.spec.model.version if revision and local.is_forwarding and revision.address else None


def want(version: int | str = 1, **fields: object) -> LocalDeployRequest:
    """A request for a version of `wine`, or for any other reference."""
    text = f"models:/wine/{version}" if isinstance(version, int) else version
    env = fields.pop("env", ())
    return LocalDeployRequest(
        ref=parse_model_ref(text),
        key=KEY,
        settings=LocalSettings(runtime=Runtime.AUTO, env=env),  # type: ignore[arg-type]
        image=ImageSettings(),
        **fields,  # type: ignore[arg-type]
    )


ROLLBACK = RollbackRequest(key=KEY)
DELETE = DeleteRequest(key=KEY)
