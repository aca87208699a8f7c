"""A deploy while the API server has bad moments; what is written, and what the role is needed for, as a proxy sees it.

That nothing is written for nothing, the API server's own audit log is asked as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

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
    models: Place, lab_kubeconfig: Path, lab_registry: str, lab_audit_log: Path
) -> None:
    place = models
    with open_yard(place, lab_kubeconfig, lab_registry) as yard:
        audit = Audit(log=lab_audit_log, user=f"system:serviceaccount:{yard.namespace}:deployer")
        direct = Path(place.extra["KUBECONFIG"])
        with run_fault_proxy(direct) as proxy:
            place.extra["KUBECONFIG"] = str(proxy.kubeconfig)
            yard.configure(replicas=1)
            assert yard.deploy(1, "--plan").expect(0).envelope["status"] == "planned"
            assert proxy.writes == []
            assert audit.list_written() == []

            proxy.faults, proxy.conflicts = (429, RESET, 500, SLOW, 503), 2
            yard.deploy(1).expect(0)
            assert (proxy.befallen > 2 * len(proxy.faults), proxy.conflicts) == (True, 0)
            proxy.faults = ()
            assert yard.predict() == ANSWERS[0]

            before, known = list(proxy.writes), audit.list_written()
            assert {"create leases", "patch deployments", "patch services"} <= set(known)
            assert yard.deploy(2, "--plan").expect(0).envelope["status"] == "planned"
            place.run("drift", "k8s/shop", "--json").expect(0)
            assert audit.list_written() == known
            assert yard.deploy(1).expect(0).envelope["status"] == "unchanged"
            assert proxy.writes == before
            assert {one.partition(" ")[2] for one in audit.list_written()[len(known) :]} == {"leases"}, "its lock alone"

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
    # In this order no verb follows one whose loss refuses the same call: what is applied needs `create` as well as `patch`.
    for missing in sorted(used):
        rules = [{"apiGroups": [g], "resources": [r], "verbs": [v]} for g, r, v in granted if (g, r, v) != missing]
        rbac.patch_namespaced_role(role.metadata.name, yard.namespace, {"rules": rules})
        wait_until(partial(is_refused, proxy, used[missing]))
    rbac.patch_namespaced_role(role.metadata.name, yard.namespace, {"rules": role.rules})
    wait_until(lambda: list_refused(proxy, used) == [])


def list_refused(proxy: FaultProxy, used: Mapping[Verb, Call]) -> list[Verb]:
    """What of those calls is not allowed."""
    return [what for what, call in used.items() if is_refused(proxy, call)]


def is_refused(proxy: FaultProxy, call: Call) -> bool:
    """Whether the API server does not let the account do that now."""
    return proxy.try_again(call) == 403


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What the API server has written down of one account."""

    log: Path
    user: str

    def list_written(self) -> list[str]:
        """Verb and resource of everything that was kept, in order."""
        entries = (json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if self.user in line)
        return [f"{one['verb']} {one['objectRef']['resource']}" for one in entries if is_kept(one)]


def is_kept(entry: dict[str, Any]) -> bool:
    """Whether something was: questions are answered, and what a pod is asked through the server is the pod's affair."""
    asked = entry["objectRef"]
    is_change = asked.get("subresource") != "proxy" and asked["resource"] != "selfsubjectaccessreviews"
    return is_change and "dryRun=All" not in entry["requestURI"] and entry["responseStatus"]["code"] < 300
