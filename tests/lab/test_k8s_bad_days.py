"""A deploy while the API server has bad moments; what is written, and what the role is needed for, as a proxy sees it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from kubernetes import client

from dockyard.adapters.k8s.permissions import list_permissions
from support.cluster_stand_in import wait_until
from support.deployments import Place
from support.fault_proxy import RESET, SLOW, Call, FaultProxy, Verb, run_fault_proxy
from support.k8s_yard import Yard, open_yard
from support.told_models import ANSWERS

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

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

            proxy.faults, proxy.conflicts = (429, RESET, 500, SLOW, 503), 2
            yard.deploy(1).expect(0)
            assert (proxy.befallen > 2 * len(proxy.faults), proxy.conflicts) == (True, 0)
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
            assert_each_is_needed(yard, proxy)
            place.extra["KUBECONFIG"] = str(direct)
    needed = {(one.group, one.resource, one.verb) for one in list_permissions(ALWAYS, is_first=None)}
    assert needed - proxy.used.keys() - ELSEWHERE == set()


def assert_each_is_needed(yard: Yard, proxy: FaultProxy) -> None:
    """The calls that were made are refused as soon as the role lacks that one verb on that one resource."""
    rbac = client.RbacAuthorizationV1Api(yard.core.api_client)
    (role,) = rbac.list_namespaced_role(yard.namespace).items
    granted = [(g, r, v) for rule in role.rules for g in rule.api_groups for r in rule.resources for v in rule.verbs]
    used = {what: call for what, call in proxy.used.items() if what in granted}
    assert list_refused(proxy, used) == []
    for missing in used:
        rules = [{"apiGroups": [g], "resources": [r], "verbs": [v]} for g, r, v in granted if (g, r, v) != missing]
        rbac.patch_namespaced_role(role.metadata.name, yard.namespace, {"rules": rules})
        wait_until(partial(is_missed, missing, proxy, used))
    rbac.patch_namespaced_role(role.metadata.name, yard.namespace, {"rules": role.rules})


def list_refused(proxy: FaultProxy, used: Mapping[Verb, Call]) -> list[Verb]:
    """What of those calls is not allowed."""
    return [what for what, call in used.items() if proxy.try_again(call) == 403]


def is_missed(missing: Verb, proxy: FaultProxy, used: Mapping[Verb, Call]) -> bool:
    """Whether calls for that resource are refused, and no others."""
    refused = list_refused(proxy, used)
    return missing in refused and {what[:2] for what in refused} == {missing[:2]}
