"""Blue-green, canary, shadow, rolling and scaling on a real cluster, with requests running through every change.

Two deployments for all claims: one that is asked by its Service, one by a route of the lab's Gateway. No request may fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kubernetes import client

from support.cluster_stand_in import wait_until
from support.deployments import Ended, Place
from support.k8s_yard import Yard, answers, open_yard
from support.lab_probes import fetch_status
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, ARRAY_BODY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # a busy machine takes minutes for so many requests

REQUESTS = 10_000
"""How many requests run through a change, at least."""
MEASURED = 3_000
"""In how many a share is measured."""
TOLERANCE = 0.03
SECONDS = 240.0
CLIENTS, PAUSE_SECONDS = 4, 0.005
"""So many a second that a change of usual length sees REQUESTS of them; where it takes longer, there are fewer from then on."""
HOST = "strategies.test"
OTHER_BODY, OTHER_ANSWER = b'{"inputs": [2.5]}', {"predictions": [5.0]}


@pytest.fixture(scope="module")
def yard(models: Place, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Yard]:
    with open_yard(models, lab_kubeconfig, lab_registry) as yard:
        yield yard


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


def test_killed_canary_is_completed_by_the_same_command_or_taken_away_by_rollback(yard: Yard) -> None:
    yard.configure(replicas=1)
    yard.deploy(1).expect(0)
    yard.configure(replicas=1, rollout={"kind": "canary", "steps": [50], "wait_seconds": 600})
    for last in (["rollback", "k8s/shop", "--json"], yard.deploy_arguments(2)):
        command = yard.place.begin(*yard.deploy_arguments(2))
        try:
            wait_until(lambda: "dockyard.io/traffic" in (find_service(yard).metadata.annotations or {}))
        finally:
            command.kill()
        assert yard.list_deployments() == ["shop", "shop-candidate"]
        yard.configure(replicas=1, rollout={"kind": "canary", "steps": [50], "wait_seconds": 0})
        yard.place.run(*last).expect(0)
        assert_settled(yard)
        yard.configure(replicas=1, rollout={"kind": "canary", "steps": [50], "wait_seconds": 600})
    assert yard.predict() == ANSWERS[1]


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


def assert_changes(
    yard: Yard, load: SteadyLoad, change: Callable[[], Ended], *, code: int = 0, requests: int = REQUESTS
) -> Ended:
    """So many requests run through a change, and in the end there is nothing that was not there before."""
    before = load.answered
    load.hurry(requests)
    ended = change().expect(code)
    load.wait_for(max(requests - (load.answered - before), 1), timeout=SECONDS)
    assert load.failures == []
    assert_settled(yard)
    return ended


def assert_settled(yard: Yard) -> None:
    """There is no candidate, and all objects are as they would be made."""
    assert yard.list_deployments() == ["shop"]
    (drift,) = yard.place.run("drift", "k8s/shop", "--json").result["deployments"]
    assert (drift["plan"]["steps"], drift["plan"]["changes"]) == ([], [])


def find_service(yard: Yard) -> client.V1Service:
    return yard.core.read_namespaced_service("shop", yard.namespace)


def measure(load: SteadyLoad, answer: object) -> float:
    """The share of the next requests that are answered so."""
    text, total = json.dumps(answer), load.answered
    before = load.answers[text]
    load.wait_for(MEASURED, timeout=SECONDS)
    return (load.answers[text] - before) / (load.answered - total)
