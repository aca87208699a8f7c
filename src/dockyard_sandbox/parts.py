"""What a sandbox is put together from, beside the control plane: the runner, the services around it, and their end.

Owns the bundle. Must not make any of them: whoever starts a sandbox hands in a function that does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dockyard_sandbox.events import Events
from dockyard_sandbox.fleet import SharedFleet
from dockyard_sandbox.pace import Pace
from dockyard_sandbox.routes import Service
from dockyard_sandbox.runner import Runner
from dockyard_sandbox.serving import Serving
from dockyard_sandbox.surroundings import Fleet, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearings:
    """Where the parts stand. The port is open already, and answers once the sandbox has started."""

    port: int
    region: str
    serving: Serving
    """What the data plane sees. Works from the sandbox's start on."""
    events: Events
    pace: Pace

    @property
    def authority(self) -> str:
        """`127.0.0.1:<port>`: what repositories' addresses begin with."""
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts. `services` have the names of `routes`; `stop` ends what they started, after all containers have ended."""

    runner: Runner
    surroundings: Surroundings = field(default_factory=Surroundings)
    services: Mapping[str, Service] = field(default_factory=dict)
    fleet: Fleet | None = None
    stop: Callable[[], None] = lambda: None

    def choose_fleet(self) -> Fleet:
        """The fleet, or one of few containers."""
        return self.fleet or SharedFleet(self.runner)


MakeParts = Callable[[Bearings], Parts]
