"""Owns the in-memory endpoint: it moves by being looked at, as a test has scripted it. For tests, ours and users'."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import Enum

from dockyard.domain.sagemaker import Endpoint, EndpointStatus


class Ending(Enum):
    """What becomes of a move."""

    ARRIVES = "arrives"
    FAILS = "fails"
    """The endpoint is Failed, and takes nothing but being deleted."""
    ROLLS_BACK = "rolls back"
    """The endpoint is in service again, with what it served before; a creation fails."""
    ROLLBACK_FAILS = "rollback fails"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a move goes."""

    ending: Ending = Ending.ARRIVES
    reason: str = ""
    """What the service gives as the reason of a bad ending; it may be nothing."""
    looks: int = 2
    """How many looks see it move, and as many see it roll back."""
    hidden: int = 0
    """How many looks at first still see what was before: the service shows changes late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A while of an endpoint's life."""

    state: Endpoint | None
    """How it is; None: it is gone."""
    looks: int | None = None
    """How many looks it lasts; None: until it is changed."""
    shown: Endpoint | None = None
    """What looks see, while `is_late`."""
    is_late: bool = False


@dataclass(kw_only=True)
class MemoryEndpoint:
    """One endpoint. `history` is every state that it has been in."""

    phases: list[Phase]
    history: list[Endpoint] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin(self.phases)

    @property
    def state(self) -> Endpoint | None:
        """How it really is, whatever looks see."""
        return self.phases[0].state

    def look(self) -> Endpoint | None:
        """See it, and let it move on."""
        phase = self.phases[0]
        seen = phase.shown if phase.is_late else phase.state
        if phase.looks is not None:
            self.phases[0] = dataclasses.replace(phase, looks=phase.looks - 1)
            self._drop_over()
        return seen

    def begin(self, phases: list[Phase]) -> None:
        """Begin to move."""
        self.phases = [*phases]
        self._note()
        self._drop_over()

    def settle(self) -> None:
        """Let it be at once what it would become."""
        self.phases = self.phases[-1:]
        self._note()

    def _drop_over(self) -> None:
        while self.phases[0].looks is not None and self.phases[0].looks <= 0:
            del self.phases[0]
            self._note()

    def _note(self) -> None:
        if self.state is not None and self.history[-1:] != [self.state]:
            self.history.append(self.state)


def create_phases(endpoint: Endpoint, course: Course, before: Endpoint | None = None) -> list[Phase]:
    """The life of an endpoint from its creation on."""
    moving = dataclasses.replace(endpoint, status=EndpointStatus.CREATING)
    end = dataclasses.replace(endpoint, status=EndpointStatus.IN_SERVICE)
    if course.ending is not Ending.ARRIVES:
        end = dataclasses.replace(endpoint, status=EndpointStatus.FAILED, failure_reason=course.reason)
    return [*_move(moving, course, before), Phase(state=end)]


def update_phases(before: Endpoint, after: Endpoint, course: Course) -> list[Phase]:
    """The life of an endpoint from an update on; `after` is how it would serve then."""
    coming = tuple(name for name in (after.production, after.shadow) if name)
    moving = dataclasses.replace(
        before, status=EndpointStatus.UPDATING, pending_config=after.config, coming=coming, failure_reason=""
    )
    back = dataclasses.replace(moving, status=EndpointStatus.ROLLING_BACK)
    phases = _move(moving, course, before)
    settled = dataclasses.replace(before, pending_config=None, coming=(), failure_reason=course.reason)
    if course.ending is Ending.ARRIVES:
        arrived = dataclasses.replace(
            after, status=EndpointStatus.IN_SERVICE, pending_config=None, coming=(), failure_reason=""
        )
        return [*phases, Phase(state=arrived)]
    if course.ending is Ending.FAILS:
        return [*phases, Phase(state=dataclasses.replace(settled, status=EndpointStatus.FAILED))]
    is_back = course.ending is Ending.ROLLS_BACK
    status = EndpointStatus.IN_SERVICE if is_back else EndpointStatus.UPDATE_ROLLBACK_FAILED
    return [*phases, Phase(state=back, looks=course.looks), Phase(state=dataclasses.replace(settled, status=status))]


def delete_phases(before: Endpoint, course: Course) -> list[Phase]:
    """The life of an endpoint from its deletion on."""
    moving = dataclasses.replace(before, status=EndpointStatus.DELETING, pending_config=None)
    return [*_move(moving, course, before), Phase(state=None)]


def _move(moving: Endpoint, course: Course, before: Endpoint | None) -> list[Phase]:
    """Moving, of which the first looks see nothing."""
    hidden = Phase(state=moving, looks=course.hidden, shown=before, is_late=True)
    return [hidden, Phase(state=moving, looks=course.looks)]
