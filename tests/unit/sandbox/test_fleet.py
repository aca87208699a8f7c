"""A container that crashed in service is started again, once, and never after it was stopped."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockyard_sandbox.fleet import KeptContainer
from dockyard_sandbox.runner import Container, ContainerError, ContainerSpec
from support.patience import wait_for


@dataclass
class CountedContainer:
    """A container that ends when it is told to."""

    number: int
    code: int | None = None
    stops: list[float] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.number}"

    def exit_code(self) -> int | None:
        return self.code

    def stop(self, grace_seconds: float = 30) -> None:
        self.stops.append(grace_seconds)


@dataclass
class CountingRunner:
    """Starts as many containers as there is room for."""

    room: int = 9
    started: list[CountedContainer] = field(default_factory=list)

    def start(self, _: ContainerSpec) -> Container:
        if len(self.started) >= self.room:
            raise ContainerError("no room")
        self.started.append(CountedContainer(number=len(self.started) + 1))
        return self.started[-1]

    def resolve_digest(self, image: str) -> str:
        return image


def keep(runner: CountingRunner) -> tuple[KeptContainer, list[str]]:
    lines: list[str] = []
    return KeptContainer(runner, ContainerSpec(image="wine:1", log=lines.append)), lines


def test_crashed_container_is_replaced_once() -> None:
    runner = CountingRunner()
    kept, lines = keep(runner)
    kept.revive()
    assert (kept.address, len(runner.started)) == ("127.0.0.1:1", 1)
    runner.started[0].code = 9
    assert kept.exit_code() == 9
    for _ in range(3):
        kept.revive()
    wait_for(lambda: kept.address == "127.0.0.1:2")
    assert (kept.exit_code(), len(runner.started), runner.started[0].stops) == (None, 2, [0])
    assert lines == ["The container ended with code 9. It is started again."]


def test_stopped_container_stays_stopped() -> None:
    runner = CountingRunner()
    kept, _ = keep(runner)
    kept.stop(7)
    runner.started[0].code = 0
    kept.revive()
    assert (len(runner.started), runner.started[0].stops) == (1, [7])


def test_container_that_cannot_be_started_again_says_so_and_may_be_tried_again() -> None:
    runner = CountingRunner(room=1)
    kept, lines = keep(runner)
    runner.started[0].code = 9
    kept.revive()
    wait_for(lambda: lines[-1:] == ["The container could not be started again: no room"])
    runner.room = 2
    kept.revive()
    wait_for(lambda: kept.address == "127.0.0.1:2")
