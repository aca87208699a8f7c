"""Fixtures of the end-to-end tests: one stage for the whole session, a place of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.deployments import Place, Stage, make_stage
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, BODY

PlaceLoad = Callable[[Place], SteadyLoad]


@pytest.fixture(scope="session")
def stage(session_folder: Path) -> Stage:
    """The stage, which the workers of a session share."""
    return make_stage(session_folder / "stage")


@pytest.fixture
def place(stage: Stage, tmp_path: Path) -> Iterator[Place]:
    """A place with the images of the sound model. When the test is over, it is proved that nothing is left."""
    place = stage.open_place(tmp_path / "place")
    yield place
    place.close()


@pytest.fixture
def hurried_place(stage: Stage, tmp_path: Path) -> Iterator[Place]:
    """The same, but that what its scorers answer comes out of their proofs, so that they start in no time."""
    place = stage.open_hurried_place(tmp_path / "place")
    yield place
    place.close()


@pytest.fixture(scope="module")
def shared_place(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One place for all tests of a module, which keeps two revisions. Nothing is left of it at the end, either."""
    place = stage.open_place(tmp_path_factory.mktemp("shared") / "place", history_limit=2, kind="shared")
    yield place
    place.close()


@pytest.fixture(scope="session")
def load() -> PlaceLoad:
    """A load on a place's port that leaves the machine time for what is tested: some sixteen requests a second at most."""
    return lambda place: SteadyLoad(place.port, body=BODY, answers=ANSWERS, pause_seconds=0.25)
