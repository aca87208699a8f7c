"""The main job on a real cluster: the whole command line, a real image, real pods, and requests all the while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes import client

from support.cluster_stand_in import wait_until
from support.deployments import Place
from support.k8s_yard import Yard, answers, open_yard
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, ARRAY_BODY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # a busy machine takes minutes for so many requests


@pytest.fixture
def yard(models: Place, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Yard]:
    with open_yard(models, lab_kubeconfig, lab_registry) as yard:
        yield yard


def test_deploy_update_under_requests_rollback_and_delete(yard: Yard) -> None:
    assert yard.deploy(1, "--plan").expect(0).envelope["status"] == "planned"
    assert yard.versions() == {}

    deployed = yard.deploy(1).expect(0)
    assert (deployed.envelope["status"], deployed.result["endpoint"]) == ("deployed", f"http://shop.{yard.namespace}.svc")
    assert yard.predict() == ANSWERS[0]
    (row,) = yard.place.run("status", "k8s/shop", "--json").expect(0).result["rows"]
    assert (row["state"], row["revision"], row["is_recorded"]) == ("serving", 1, True)
    pod = yard.pods()[0]
    assert pod.spec.containers[0].image == deployed.result["image"]
    assert pod.metadata.annotations["dockyard.io/model-version"] == "1"

    before = yard.versions()
    assert yard.deploy(1).expect(0).envelope["status"] == "unchanged"
    yard.place.run("drift", "k8s/shop", "--json").expect(0)
    assert yard.versions() == before

    service = yard.core.read_namespaced_service("shop", yard.namespace)
    wait_until(lambda: answers(service.spec.cluster_ip))
    with SteadyLoad(80, body=ARRAY_BODY, answers=ANSWERS, pause_seconds=0.05, host=service.spec.cluster_ip) as load:
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


def test_killed_deploy_is_completed_by_the_same_command_and_another_machine_waits(yard: Yard, tmp_path: Path) -> None:
    yard.configure(replicas=1)
    apps = client.AppsV1Api(yard.core.api_client)
    other = replace(yard.place, home=tmp_path / "other-home")
    command = yard.place.begin(*yard.deploy_arguments(1))
    try:
        wait_until(lambda: bool(apps.list_namespaced_deployment(yard.namespace).items))
        refused = other.run(*yard.deploy_arguments(1)).expect(1)
        assert refused.error["code"] == "lock-held"
    finally:
        command.kill()
    yard.deploy(1).expect(0)
    assert yard.predict() == ANSWERS[0]
    leases = client.CoordinationV1Api(yard.core.api_client).list_namespaced_lease(yard.namespace).items
    assert leases == []
