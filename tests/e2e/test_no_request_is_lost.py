"""A running load through updates and rollbacks: every request is answered, by the old revision or by the new one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from dockyard.adapters.local.ports import is_port_free
from support.deployments import Place
from support.ports import reserve_port
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, BODY, SOUND

pytestmark = pytest.mark.process


def test_no_request_of_a_thousand_is_lost_through_updates_and_rollbacks(place: Place) -> None:
    place.deploy().expect(0)
    with SteadyLoad(place.port, body=BODY, answers=ANSWERS, pause_seconds=0.02) as running:
        running.wait_for(50)
        place.deploy(model=f"models:/{SOUND}/2").expect(0)
        running.wait_for(50)
        place.run("rollback", "shop", "--json").expect(0)
        running.wait_for(50)
        place.deploy("-e", "OTHER=1", model=f"models:/{SOUND}/2").expect(0)
        place.run("rollback", "shop", "--revision", "2", "--json").expect(0)
        running.wait_for(max(50, 1000 - running.answered))
    running.assert_whole(at_least=1000)
    assert set(running.answers) == {json.dumps(answer) for answer in ANSWERS[:2]}


def test_port_moves_with_a_revision_that_goes_on(hurried_place: Place, load: Callable[[Place], SteadyLoad]) -> None:
    hurried_place.deploy().expect(0)
    (before,) = hurried_place.supervisors().values()
    old, hurried_place.port = hurried_place.port, reserve_port()
    moved = hurried_place.deploy("--port", str(hurried_place.port)).expect(0)
    assert moved.result["endpoint"] == f"http://127.0.0.1:{hurried_place.port}"
    assert hurried_place.supervisors() == {1: before}
    assert is_port_free("127.0.0.1", old)
    with load(hurried_place) as running:
        running.wait_for(20)
    running.assert_whole()
