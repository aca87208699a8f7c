"""Tests of the drain's timing and of identity."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from dockyard_scorer.health import Health
from dockyard_scorer.identity import read_identity


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Model:
    """Any model."""

    def answer(self, body: bytes, content_type: str) -> str:
        raise AssertionError((body, content_type))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    health = Health(clock=clock)
    health.open(Model())
    return health


def _wait(health: Health) -> float:
    return health.seconds_until_close(quiet=2.0, grace=20.0)


def test_port_stays_open_for_good_until_a_drain_begins(health: Health) -> None:
    assert math.isinf(_wait(health))
    assert health.remaining_grace(20.0) == 20.0


def test_port_stays_open_for_the_quiet_time_after_the_drain_began(health: Health, clock: Clock) -> None:
    health.begin_drain()
    assert _wait(health) == 2.0
    clock.now += 2.0
    assert _wait(health) == 0.0


def test_each_request_keeps_the_port_open_for_another_quiet_time(health: Health, clock: Clock) -> None:
    health.begin_drain()
    clock.now += 1.5
    health.begin_request()
    assert _wait(health) == 2.0


def test_requests_that_never_end_do_not_keep_the_port_open_beyond_half_the_grace(health: Health, clock: Clock) -> None:
    health.begin_drain()
    clock.now += 9.5
    health.begin_request()
    assert _wait(health) == 0.5
    assert health.remaining_grace(20.0) == 10.5
    clock.now += 30
    assert health.remaining_grace(20.0) == 0.0


def test_service_without_a_model_closes_at_once(clock: Clock) -> None:
    health = Health(clock=clock)
    health.begin_drain()
    assert _wait(health) == 0.0


def test_a_second_signal_does_not_lengthen_the_drain(health: Health, clock: Clock) -> None:
    health.begin_drain()
    clock.now += 1.0
    health.begin_drain()
    assert _wait(health) == 1.0


def test_identity_holds_the_labels_of_the_image(tmp_path: Path) -> None:
    labels = {"dockyard.model.name": "wine", "dockyard.model.digest": "sha256:1"}
    (tmp_path / "image.json").write_text(json.dumps(labels))
    identity = read_identity(tmp_path / "image.json", 3)
    assert identity.describe()["image"] == labels
    assert identity.metric_labels() == {"name": "wine", "version": "", "id": "", "digest": "sha256:1", "revision": "3"}
    assert identity.mlflow is not None


@pytest.mark.parametrize("content", [None, "[]"])
def test_image_without_labels_has_an_identity_all_the_same(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "image.json").write_text(content)
    identity = read_identity(tmp_path / "image.json", None)
    assert identity.describe()["image"] == {}
    assert identity.metric_labels()["revision"] == ""


def test_damaged_labels_are_told_and_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "image.json").write_text("{")
    assert read_identity(tmp_path / "image.json", None).describe()["image"] == {"error": "image.json is not JSON"}
