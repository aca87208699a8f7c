"""The main job on a real cluster: the whole command line, a real image, real pods, and requests all the while."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes import client

from support.cluster_stand_in import wait_until
from support.deployments import Ended, Place, make_told_place
from support.k8s_yard import Yard, answers, open_yard
from support.lab import RegistryLogin
from support.steady_load import SteadyLoad
from support.told_models import ANSWERS, BODY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # a busy machine takes minutes for so many requests

BROKEN_SECONDS = 20.0
"""How long a cause may stay unknown after the manifests were applied; a machine that others use has twice that."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_told_place(tmp_path_factory.mktemp("k8s"))


@pytest.fixture
def yard(models: Place, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Yard]:
    with open_yard(models, lab_kubeconfig, lab_registry) as yard:
        yield yard


@pytest.fixture(name="broken_yard", scope="module")
def yard_with_a_sound_revision(models: Place, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Yard]:
    """One for all tests of what goes wrong, which leave it as it is."""
    with open_yard(models, lab_kubeconfig, lab_registry) as yard:
        yard.configure(replicas=1)
        yard.deploy(1).expect(0)
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
    with SteadyLoad(80, body=BODY, answers=ANSWERS, pause_seconds=0.05, host=service.spec.cluster_ip) as load:
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


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("TOLD_LOAD=crash", "revision-crashed"),
        ("TOLD_PREDICT=raise", "smoke-test-failed"),
        ("TOLD_PREDICT=shift", "wrong-answer"),
    ],
)
def test_broken_revision_leaves_the_old_one_serving_and_nothing_behind(broken_yard: Yard, told: str, code: str) -> None:
    broken_yard.configure(replicas=1)
    assert_is_refused(broken_yard, code, "-e", told)


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"cpu": "640"}, "cluster-refused", "must be less than or equal to cpu limit"),
        ({"node_selector": {"example.com/is-there": "no"}}, "unschedulable", "didn't match Pod's node affinity/selector"),
        ({"memory": "40Mi"}, "out-of-memory", "40Mi"),
        ({"env_secrets": ["nobody-made-this"]}, "revision-crashed", 'secret "nobody-made-this" not found'),
    ],
)
def test_cause_is_named_where_the_cluster_cannot_run_it(
    broken_yard: Yard, settings: dict[str, object], code: str, words: str
) -> None:
    broken_yard.configure(replicas=1, **settings)
    assert words in assert_is_refused(broken_yard, code).error["message"]


def test_image_that_nodes_cannot_pull_is_named(broken_yard: Yard, lab_registry_auth: RegistryLogin) -> None:
    # What is pushed there the nodes look for in the other registry, which does not have it.
    broken_yard.configure(replicas=1)
    broken_yard.place.extra["PUSH_PASSWORD"] = lab_registry_auth.password
    host = lab_registry_auth.address
    login = {"host": host, "username": lab_registry_auth.user, "password": {"env": "PUSH_PASSWORD"}}
    path = broken_yard.place.folder / "dockyard.yaml"
    path.write_text(path.read_text().replace("environments:", f"  credentials: [{json.dumps(login)}]\nenvironments:"))
    repository = f"{host}/dockyard-tests/elsewhere"
    refused = assert_is_refused(broken_yard, "image-not-pulled", "-e", "OTHER=2", "--repository", repository)
    assert repository in refused.error["message"]


def test_quota_is_named(broken_yard: Yard) -> None:
    broken_yard.configure(replicas=1)
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}}
    broken_yard.core.create_namespaced_resource_quota(broken_yard.namespace, quota)
    refused = assert_is_refused(broken_yard, "quota-exceeded", "-e", "OTHER=1")
    assert "exceeded quota: small" in refused.error["message"]


def assert_is_refused(yard: Yard, code: str, *more: str) -> Ended:
    """The deploy fails with that code in time; the old revision answers, alone."""
    began = time.monotonic()
    ended = yard.deploy(1, *more).expect(1)
    assert ended.error["code"] == code
    assert time.monotonic() - began < 2 * BROKEN_SECONDS
    assert yard.predict() == ANSWERS[0]
    assert len(yard.pods()) == 1
    sets = client.AppsV1Api(yard.core.api_client).list_namespaced_replica_set(yard.namespace).items
    assert [one.spec.replicas for one in sets] == [1]
    return ended
