"""The main job on a real cluster: the whole command line, a real image, real pods, and requests all the while."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from support.bench_changes import run_killed
from support.cluster_stand_in import wait_until
from support.deployments import Ended, finish
from support.k8s_yard import Yard, answers
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, ARRAY_BODY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # a busy machine takes minutes for so many requests

BOUNDARIES = 8
"""A blue-green update has more steps than that."""


def test_deploy_update_under_requests_rollback_and_delete(yard: Yard) -> None:
    assert yard.deploy(1, "--plan").expect(0).envelope["status"] == "planned"
    assert yard.versions() == {}

    deployed = yard.deploy(1).expect(0)
    assert (deployed.envelope["status"], deployed.result["endpoint"]) == ("deployed", f"http://shop.{yard.namespace}.svc")
    assert yard.predict() == ANSWERS[0]
    (row,) = yard.place.run("status", "k8s/shop", "--json").expect(0).result["rows"]
    assert (row["state"], row["revision"], row["is_recorded"]) == ("serving", 1, True)
    pod = yard.pods()[0]
    measured = json.loads(pod.metadata.annotations["dockyard.io/footprint"])["memory_mib"]
    assert f"{pod.spec.containers[0].resources.limits['memory']} each ({measured} MiB measured)" in row["capacity"]
    assert pod.spec.containers[0].image == deployed.result["image"]
    assert pod.metadata.annotations["dockyard.io/model-version"] == "1"

    before = yard.versions()
    assert yard.deploy(1).expect(0).envelope["status"] == "unchanged"
    yard.place.run("drift", "k8s/shop", "--json").expect(0)
    assert yard.versions() == before

    host = yard.find_host()
    wait_until(lambda: answers(host))
    with SteadyLoad(80, body=ARRAY_BODY, answers=ANSWERS, pause_seconds=0.05, host=host) as load:
        load.wait_for(100)
        yard.deploy(2).expect(0)
        load.wait_for(100)
        rolled_back = yard.place.run("rollback", "k8s/shop", "--json").expect(0)
        assert rolled_back.result["revision"] == 1
        load.wait_for(100)
    load.assert_whole()
    assert set(load.answers) == {json.dumps(answer) for answer in ANSWERS[:2]}
    assert yard.predict() == ANSWERS[0]
    yard.place.run("drift", "k8s/shop", "--json").expect(0)
    assert "/invocations" in yard.place.run("logs", "k8s/shop").expect(0).out
    kinds = [
        (one["kind"], one["status"]) for one in yard.place.run("history", "k8s/shop", "--json").expect(0).result["attempts"]
    ]
    assert kinds[:2] == [("rollback", "succeeded"), ("deploy", "succeeded")]

    yard.place.run("delete", "k8s/shop", "--yes", "--json").expect(0)
    assert yard.versions() == {}
    assert yard.core.list_namespaced_pod(yard.namespace).items == []


def test_two_deploys_at_once_one_waits_or_is_told_who_is_at_it(yard: Yard, tmp_path: Path) -> None:
    yard.configure(replicas=1)
    other = replace(yard.place, home=tmp_path / "other-home")
    first = yard.place.begin(*yard.deploy_arguments(1))
    try:
        wait_until(lambda: yard.list_deployments() == ["shop"])
        refused = other.run(*yard.deploy_arguments(1)).expect(1)
        assert (refused.error["code"], "since" in refused.error["message"]) == ("lock-held", True)
        waiting = other.begin(*yard.deploy_arguments(1), "--lock-wait", "200")
        ended = finish(first).expect(0), finish(waiting).expect(0)
    finally:
        first.kill()
    assert [one.envelope["status"] for one in ended] == ["deployed", "unchanged"]
    assert yard.list_leases() == []


def test_deploy_killed_at_one_boundary_after_the_other_comes_to_its_end_unnoticed(yard: Yard) -> None:
    """The first is killed when it has noted its first step, the second its second, and so on: each goes on where one was."""
    yard.configure(replicas=1, rollout={"kind": "blue-green", "wait_seconds": 0})
    yard.deploy(1).expect(0)
    host = yard.find_host()
    wait_until(lambda: answers(host))
    with SteadyLoad(80, body=ARRAY_BODY, answers=ANSWERS[:2], clients=2, pause_seconds=0.1, host=host) as load:
        number, ended = 1, run_killed_at(yard, 1)
        while ended.code == -signal.SIGKILL:
            number += 1
            ended = run_killed_at(yard, number)
    del yard.place.extra["TEST_KILL_AT"]
    assert (ended.expect(0).result["revision"], number > BOUNDARIES) == (2, True)
    load.assert_whole(number)
    assert yard.predict() == ANSWERS[1]
    assert (yard.list_deployments(), yard.list_leases()) == (["shop"], [])
    (drift,) = yard.place.run("drift", "k8s/shop", "--json").expect(0).result["deployments"]
    assert (drift["plan"]["steps"], drift["plan"]["changes"]) == ([], [])
    attempts = yard.place.run("history", "k8s/shop", "--json").expect(0).result["attempts"]
    # Where the last to be killed had recorded all, the one after it found nothing to do.
    count = number - (ended.envelope["status"] == "unchanged")
    assert [one["status"] for one in attempts[:count]] == ["succeeded", *["interrupted"] * (count - 1)]


def run_killed_at(yard: Yard, boundary: int) -> Ended:
    """Deploy version 2, and kill that when so many steps are noted, where it has so many."""
    yard.place.extra["TEST_KILL_AT"] = f"after {boundary}"
    return yard.place.run(*yard.deploy_arguments(2), main=run_killed)
