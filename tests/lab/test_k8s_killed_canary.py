"""A canary that was killed midway on a real cluster."""

from __future__ import annotations

import pytest
from kubernetes import client

from support.cluster_stand_in import wait_until
from support.k8s_changes import assert_settled
from support.k8s_yard import Yard
from support.told_models import ANSWERS

pytestmark = pytest.mark.lab


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


def find_service(yard: Yard) -> client.V1Service:
    return yard.core.read_namespaced_service("shop", yard.namespace)
