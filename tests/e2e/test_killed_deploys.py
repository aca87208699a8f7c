"""kill -9 at every step of a deploy, under load; the same command again completes it, and nobody has noticed."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator

import pytest

from support.bench_changes import run_killed
from support.deployments import Ended, Place, Stage
from support.steady_load import SteadyLoad
from support.told_models import FOLDERS, SOUND

pytestmark = pytest.mark.process

STEPS = (
    *("StartRevision", "WaitReady", "SmokeTest", "ShiftTraffic"),
    *("RemoveRevision", "StopRevision", "SetAlias", "WriteRecord"),
)
"""What an update with `--promote` does when two revisions are there and two are kept."""
SAVES = len(STEPS) + 2
"""The journal is saved before the first step, after each, and when all is over."""
BOUNDARIES = [f"{when} {save}" for save in range(1, SAVES + 1) for when in ("before", "after")][1:]
RECORDED = SAVES - 1
"""The save that follows the step which writes the record: killed before it, the record is written."""


class Rounds:
    """A deployment that is updated over and over, each time to the other of two model versions."""

    def __init__(self, place: Place, running: SteadyLoad) -> None:
        self.place = place
        self.running = running
        self._numbers = itertools.count(1)
        self.known: set[str] = set()
        self.arguments: tuple[str, ...] = ()

    def next(self) -> None:
        """Choose what the next update deploys."""
        number = next(self._numbers)
        model = f"models:/{SOUND}/{1 + number % 2}"
        self.arguments = self.place.deploy_arguments("-e", f"ROUND={number}", "--promote", model=model)

    def new_attempts(self) -> list[dict[str, object]]:
        """The attempts since the last call, newest first."""
        found = [one for one in self.place.history() if one["id"] not in self.known]
        self.known.update(str(one["id"]) for one in found)
        return found


@pytest.fixture(scope="module")
def updated_place(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place that keeps two revisions, whose scorers start in no time. Nothing is left of it at the end."""
    place = stage.open_hurried_place(tmp_path_factory.mktemp("updated") / "place", history_limit=2)
    yield place
    place.close()


@pytest.fixture(scope="module")
def rounds(updated_place: Place, load: Callable[[Place], SteadyLoad]) -> Iterator[Rounds]:
    """A deployment with two revisions, under a load that goes on through all tests."""
    updated_place.deploy().expect(0)
    with load(updated_place) as running:
        rounds = Rounds(updated_place, running)
        rounds.next()
        updated_place.run(*rounds.arguments).expect(0)
        rounds.new_attempts()
        yield rounds


def kill_at(place: Place, boundary: str, arguments: tuple[str, ...]) -> None:
    """Run a command that is killed at a boundary."""
    place.extra["TEST_KILL_AT"] = boundary
    try:
        place.run(*arguments, main=run_killed).expect(-signal.SIGKILL)
    finally:
        del place.extra["TEST_KILL_AT"]


def garbage(place: Place) -> list[dict[str, object]]:
    """What `gc` would remove, but for images that were never used."""
    items: list[dict[str, object]] = place.run("gc", "--plan", "--json").expect(0).result["items"]
    return [item for item in items if item["kind"] != "image"]


def test_boundaries_are_those_of_the_plan(rounds: Rounds) -> None:
    rounds.next()
    plan = rounds.place.run(*rounds.arguments, "--plan").expect(0).result["plan"]
    assert tuple(step["type"] for step in plan["steps"]) == STEPS


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_same_command_completes_a_deploy_that_was_killed(rounds: Rounds, boundary: str) -> None:
    place, running = rounds.place, rounds.running
    before = place.state()["revision"]
    rounds.next()
    kill_at(place, boundary, rounds.arguments)
    running.wait_for(10)

    again = place.run(*rounds.arguments).expect(0)
    assert again.envelope["status"] in {"deployed", "unchanged"}
    assert_one_new_revision(place, before, again)
    assert garbage(place) == []
    running.wait_for(10)
    running.assert_whole()

    when, save = boundary.split()
    is_recorded = int(save) > RECORDED or (int(save), when) in {(RECORDED, "before"), (RECORDED, "after")}
    statuses = [attempt["status"] for attempt in rounds.new_attempts()]
    assert statuses == (["succeeded"] if is_recorded else ["succeeded", "interrupted"])


def assert_one_new_revision(place: Place, before: int, again: Ended) -> None:
    """The deployment serves the revision after `before`, and only that one runs."""
    state = place.state()
    assert again.result["revision"] == state["revision"] == before + 1
    assert (state["state"], state["is_recorded"], state["revisions"]) == ("serving", True, [before, before + 1])
    assert list(place.supervisors()) == [before + 1]


@pytest.mark.parametrize(("boundary", "model"), [("before 2", f"models:/{SOUND}/3"), ("after 2", FOLDERS[2])])
def test_same_command_completes_a_deploy_that_was_killed_when_the_image_was_built(
    place: Place, boundary: str, model: str
) -> None:
    ref = model if ":" in model else str(place.cache.parent / model)
    arguments = place.deploy_arguments(model=ref)
    kill_at(place, boundary, arguments)
    again = place.run(*arguments).expect(0)
    assert "BuildImage" not in [outcome["step"] for outcome in again.result["outcomes"]], "it is found, not built again"
    assert place.state()["revision"] == 1
    assert garbage(place) == []
    assert [attempt["status"] for attempt in place.history()] == ["succeeded", "interrupted"]


def test_gc_takes_away_what_a_killed_deploy_left_behind_when_it_is_not_repeated(place: Place) -> None:
    kill_at(place, "after 3", place.deploy_arguments())
    assert place.supervisors().keys() == {1}
    assert place.state()["state"] == "empty"
    assert place.run("gc", "--plan", "--json").expect(0).result["items"] != []
    place.run("gc", "--json").expect(0)
    place.assert_nothing_left()
