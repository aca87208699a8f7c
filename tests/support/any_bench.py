"""What the benches of all targets share: a workbench whose ports are all in memory, with handles on each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dockyard.domain.attempt import Attempt
from dockyard.domain.model import ModelVersion
from dockyard.ports import ResolvedModel
from dockyard.testing.attempts import MemoryJournal, MemoryLocks
from dockyard.testing.faults import Faults
from dockyard.testing.images import MemoryCaches, MemoryImages
from dockyard.testing.registry import MemoryQueue, MemoryRegistry
from dockyard.testing.surroundings import ManualClock, RecordedProgress
from dockyard.usecases.site import Site
from dockyard.usecases.workbench import Workbench
from support.local_values import make_model

VERSIONS = (1, 2, 3)


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
class AnyBench:
    """Everything in memory but the place, which a target's own bench adds. `faults` counts what changes it or the journal."""

    faults: Faults = field(default_factory=Faults)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    caches: MemoryCaches = field(default_factory=MemoryCaches)
    locks: MemoryLocks = field(default_factory=MemoryLocks)
    clock: ManualClock = field(default_factory=ManualClock)
    progress: RecordedProgress = field(default_factory=RecordedProgress)
    images: MemoryImages = field(default_factory=MemoryImages)
    journal: MemoryJournal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = MemoryJournal(faults=self.faults)
        for version in VERSIONS:
            self.registry.add_model(make_resolved(version))

    @property
    def site(self) -> Site:
        """The place that models are deployed to."""
        raise NotImplementedError

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
    def attempts(self) -> list[Attempt]:
        """What the registry has of history, oldest first."""
        return sorted(self.registry.attempts.values(), key=lambda one: one.started)


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
