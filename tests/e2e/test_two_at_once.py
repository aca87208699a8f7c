"""Two commands on one deployment at once: the second is refused, or waits, and never comes between the steps of the first."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest

from support.bench_changes import run_waiting
from support.deployments import Ended, Place, finish
from support.told_models import SOUND

pytestmark = pytest.mark.process


@contextmanager
def deploying(place: Place) -> Iterator[list[Ended]]:
    """A deploy that waits before it moves the traffic until the block is over; its end is in the list then."""
    said, wanted = place.folder / "said", place.folder / "wanted"
    place.extra |= {"TEST_SAY": str(said), "TEST_WAIT_FOR": str(wanted)}
    first = place.begin(*place.deploy_arguments(), main=run_waiting)
    deadline = time.monotonic() + 60
    while not said.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ends: list[Ended] = []
    try:
        yield ends
    finally:
        wanted.touch()
        ends.append(finish(first))


def test_second_deploy_is_refused_with_who_holds_the_lock_since_when(hurried_place: Place) -> None:
    began = datetime.now(timezone.utc)
    with deploying(hurried_place) as ends:
        refused = hurried_place.deploy(model=f"models:/{SOUND}/2").expect(1)
        assert hurried_place.run("delete", "shop", "--json").expect(1).error["code"] == "lock-held"
        planned = hurried_place.deploy("--plan", model=f"models:/{SOUND}/2").expect(0)
        assert planned.envelope["status"] == "planned", "looking needs no lock"
    assert refused.error["code"] == "lock-held"
    assert getpass.getuser() in refused.error["message"]
    since = datetime.fromisoformat(refused.error["message"].rpartition(" since ")[2])
    assert began - timedelta(seconds=1) <= since <= datetime.now(timezone.utc)
    assert refused.error["hint"]
    assert ends[0].expect(0).result["revision"] == 1
    assert len(hurried_place.history()) == 1


def test_second_deploy_waits_for_the_first_and_does_its_work_then(hurried_place: Place) -> None:
    with deploying(hurried_place) as ends:
        second = hurried_place.begin(*hurried_place.deploy_arguments("--lock-wait", "120", model=f"models:/{SOUND}/2"))
        time.sleep(1)
        assert second.process.is_alive()
    ended = finish(second).expect(0)
    assert ends[0].expect(0).result["revision"] == 1
    assert (ended.result["revision"], ended.result["previous"]) == (2, 1)
    assert list(hurried_place.supervisors()) == [2]
