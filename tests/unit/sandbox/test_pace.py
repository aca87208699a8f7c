"""AWS's time passes as fast as it is told to, also for those who wait already."""

from __future__ import annotations

import threading
import time

import pytest

from dockyard_sandbox.pace import Pace


def test_seconds_pass_at_the_speed() -> None:
    started = time.monotonic()
    assert Pace(speed=1000).sleep(50)
    assert 0.04 <= time.monotonic() - started < 5


def test_standstill_ends_when_the_speed_changes() -> None:
    pace = Pace(speed=0)
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(pace.sleep(100)))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    pace.change(speed=100_000)
    thread.join(10)
    assert woken == [True]


def test_closing_ends_every_wait() -> None:
    pace = Pace(speed=0)
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(pace.sleep(100)))
    thread.start()
    pace.close()
    thread.join(10)
    assert woken == [False]
    assert not pace.pause(100)


def test_negative_pace_is_refused_and_changes_nothing() -> None:
    pace = Pace(speed=5)
    with pytest.raises(ValueError, match="zero"):
        pace.change(speed=-1)
    assert pace.speed == 5


def test_containers_start_on_a_clock_of_their_own() -> None:
    pace = Pace(speed=1000, startup_speed=8)
    assert pace.startup_seconds(480) == 60
    pace.change(startup_speed=0)
    assert pace.startup_seconds(480) == 480
