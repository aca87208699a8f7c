"""Requests that the lab's Gateway leads to a deployment by its route: divided as was asked, and mirrored to a shadow."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from support.cluster_stand_in import wait_until
from support.k8s_changes import CLIENTS, PAUSE_SECONDS, REQUESTS, SECONDS, assert_changes
from support.k8s_yard import Yard
from support.lab_probes import fetch_status
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, ARRAY_BODY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # a busy machine takes minutes for so many requests

MEASURED = 3_000
"""In how many a share is measured."""
TOLERANCE = 0.03
HOST = "strategies.test"
OTHER_BODY, OTHER_ANSWER = b'{"inputs": [2.5]}', {"predictions": [5.0]}


def test_route_divides_requests_as_was_asked_and_shadows_harm_nothing(yard: Yard, lab_gateway: str) -> None:
    gateway = urlsplit(lab_gateway)
    route = {"gateway": "lab", "namespace": "lab-gateway", "hostnames": [HOST], "scheme": "http"}

    def begin(body: bytes, expected: tuple[object, ...]) -> SteadyLoad:
        host, port = str(gateway.hostname), gateway.port or 80
        return SteadyLoad(
            port, body=body, answers=expected, host=host, clients=CLIENTS, pause_seconds=PAUSE_SECONDS, asked_for=HOST
        )

    yard.configure(route=route)
    yard.deploy(1).expect(0)
    wait_until(lambda: fetch_status(f"{lab_gateway}/ping", {"Host": HOST}) == 200)
    with begin(ARRAY_BODY, ANSWERS[:2]) as load:
        for percent in (10, 50, 100):
            yard.configure(route=route, rollout={"kind": "canary", "steps": [percent], "pause": True})
            load.hurry(0)
            yard.deploy(2).expect(0)
            load.hurry(REQUESTS // 10 + MEASURED)
            load.wait_for(REQUESTS // 10)  # Envoy has heard of it
            assert abs(measure(load, ANSWERS[1]) - percent / 100) < TOLERANCE
            assert load.failures == []
        assert_changes(yard, load, lambda: yard.place.run("promote", "k8s/shop", "--json"), requests=MEASURED)
        assert yard.place.run("rollback", "k8s/shop", "--json").expect(0).result["revision"] == 1
    load.assert_whole(REQUESTS)

    # It answers the input example as it should, so it is proved, and raises for all else: nobody but the gate hears of that.
    with begin(OTHER_BODY, (OTHER_ANSWER,)) as load:
        gate = {"min_requests": 50}
        yard.configure(route=route, rollout={"kind": "shadow", "wait_seconds": 60, "gate": gate})
        bad = assert_changes(yard, load, lambda: yard.deploy(2, "-e", "TOLD_PREDICT=raise-others"), code=1, requests=MEASURED)
        assert (bad.error["code"], "with an error" in bad.error["message"]) == ("gate-breached", True)
        yard.configure(route=route, rollout={"kind": "shadow", "wait_seconds": 3})
        tried = assert_changes(yard, load, lambda: yard.deploy(2), requests=MEASURED).result
        (watched,) = [dict(one["facts"]) for one in tried["outcomes"] if one["step"] == "WatchCandidate"]
        assert (watched["requests"] > 0, watched["errors"]) == (True, 0)
    load.assert_whole(2 * MEASURED)
    yard.configure(route=route)


def measure(load: SteadyLoad, answer: object) -> float:
    """The share of the next requests that are answered so."""
    text, total = json.dumps(answer), load.answered
    before = load.answers[text]
    load.wait_for(MEASURED, timeout=SECONDS)
    return (load.answers[text] - before) / (load.answered - total)
