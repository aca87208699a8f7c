"""Blue-green, canary, scaling and rollback on a real cluster, with requests running through every change: none may fail."""

from __future__ import annotations

import pytest

from support.cluster_stand_in import wait_until
from support.k8s_changes import CLIENTS, PAUSE_SECONDS, REQUESTS, assert_changes
from support.k8s_yard import Yard, answers
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, ARRAY_BODY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # a busy machine takes minutes for so many requests


def test_every_strategy_brings_a_revision_without_a_failed_request(yard: Yard) -> None:
    yard.deploy(1).expect(0)
    host = yard.find_host()
    wait_until(lambda: answers(host))
    with SteadyLoad(80, body=ARRAY_BODY, answers=ANSWERS, host=host, clients=CLIENTS, pause_seconds=PAUSE_SECONDS) as load:
        yard.configure(rollout={"kind": "blue-green", "wait_seconds": 2})
        assert_changes(yard, load, lambda: yard.deploy(2))
        yard.configure(rollout={"kind": "canary", "steps": [10, 50], "wait_seconds": 4})
        ended = assert_changes(yard, load, lambda: yard.deploy(3))
        watched = [dict(one["facts"]) for one in ended.result["outcomes"] if one["step"] == "WatchCandidate"]
        assert [one["errors"] for one in watched] == [0, 0]
        assert all(one["requests"] > 0 for one in watched)
        yard.configure(replicas=3)
        assert_changes(yard, load, lambda: yard.deploy(3))
        assert_changes(yard, load, lambda: yard.place.run("rollback", "k8s/shop", "--json"))
        assert yard.predict() == ANSWERS[1]
        gate = {"latency_ms": 100, "min_requests": 10}
        yard.configure(replicas=3, rollout={"kind": "canary", "steps": [50], "wait_seconds": 60, "gate": gate})
        bad = assert_changes(yard, load, lambda: yard.deploy(2, "-e", "TOLD_PREDICT=slow"), code=1)
        assert (bad.error["code"], "ms for the slowest answer in a hundred" in bad.error["message"]) == ("gate-breached", True)
    load.assert_whole(5 * REQUESTS)
