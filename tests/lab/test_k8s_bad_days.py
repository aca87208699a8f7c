"""A deploy while the API server has bad moments; what is written, and what the role is needed for, as a proxy sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.k8s.permissions import list_permissions
from support.deployments import Place
from support.fault_proxy import RESET, SLOW, run_fault_proxy
from support.k8s_yard import open_yard
from support.told_models import ANSWERS

pytestmark = pytest.mark.lab

ALWAYS = ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")
ELSEWHERE = {("coordination.k8s.io", "leases", "update"), ("", "pods/proxy", "get")}
"""A lock is renewed when it has been held for a while; metrics are read of candidates."""


def test_bad_moments_are_survived_nothing_is_written_for_nothing_and_the_role_is_used_whole(
    models: Place, lab_kubeconfig: Path, lab_registry: str
) -> None:
    place = models
    with open_yard(place, lab_kubeconfig, lab_registry) as yard:
        direct = Path(place.extra["KUBECONFIG"])
        with run_fault_proxy(direct) as proxy:
            place.extra["KUBECONFIG"] = str(proxy.kubeconfig)
            yard.configure(replicas=1)
            assert yard.deploy(1, "--plan").expect(0).envelope["status"] == "planned"
            assert proxy.writes == []

            proxy.faults = (429, RESET, 500, SLOW, 503)
            yard.deploy(1).expect(0)
            assert proxy.befallen > 2 * len(proxy.faults)
            proxy.faults = ()
            assert yard.predict() == ANSWERS[0]

            before = list(proxy.writes)
            assert yard.deploy(1).expect(0).envelope["status"] == "unchanged"
            assert yard.deploy(2, "--plan").expect(0).envelope["status"] == "planned"
            place.run("drift", "k8s/shop", "--json").expect(0)
            assert proxy.writes == before

            found = {one["code"]: one for one in place.run("doctor", "k8s", "--json").expect(0).result["findings"]}
            assert (found["cluster"]["severity"], found["permissions"]["severity"]) == ("ok", "ok")
            assert yard.deploy(1, "-e", "TOLD_LOAD=crash").expect(1).error["code"] == "revision-crashed"
            assert yard.predict() == ANSWERS[0]
            place.run("delete", "k8s/shop", "--yes", "--json").expect(0)
            place.extra["KUBECONFIG"] = str(direct)
    needed = {(one.group, one.resource, one.verb) for one in list_permissions(ALWAYS, is_first=None)}
    assert needed - proxy.used - ELSEWHERE == set()
