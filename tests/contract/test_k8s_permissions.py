"""What deployments with all that they may have ask of an API server, over real HTTP: what the shipped role allows, and no less.

A verb that is taken out of the role is missed, for one of these calls needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockyard.adapters.k8s.api import KubeApi
from dockyard.adapters.k8s.cluster import KubeCluster
from dockyard.adapters.k8s.inventory import KubeInventory
from dockyard.adapters.k8s.kinds import CUSTOM, KINDS
from dockyard.adapters.k8s.lease import LeaseLocks
from dockyard.adapters.k8s.metrics import KubeMetrics
from dockyard.adapters.k8s.permissions import list_permissions
from dockyard.adapters.k8s.scorer import KubeScorer
from dockyard.domain.k8s import ClusterAccess, K8sPolicy
from dockyard.domain.k8s_exposure import Ingress
from dockyard.domain.k8s_scaling import Autoscaling
from dockyard.ports import Request
from dockyard.testing.attempts import MemoryLocks
from dockyard.testing.surroundings import ManualClock
from support.fault_proxy import Verb, name_verbs
from support.k8s_values import KEY, make_blueprint
from support.k8s_variants import KEDA, MONITORING, ROUTE
from support.kube_stand_in import KubeStandIn, run_kube_stand_in

CORE, APPS = "/api/v1/namespaces/models", "/apis/apps/v1/namespaces/models"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/models/leases/dockyard-wine"
SET, POD = f"{APPS}/replicasets/wine-1", f"{CORE}/pods/wine-1-a"
POLICIES = (
    K8sPolicy(exposure=ROUTE, scaling=Autoscaling(max_replicas=3, cpu_percent=70), monitoring=MONITORING),
    K8sPolicy(exposure=Ingress(host="wine.example.com"), scaling=KEDA),
)
BODY = Request(body=b"{}", content_type="application/json")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KubeStandIn]:
    """One that has all kinds, and a lock that nobody holds any more."""
    with run_kube_stand_in(tmp_path) as stand_in:
        stand_in.objects[LEASE] = {"metadata": {"name": "dockyard-wine", "resourceVersion": "1"}, "spec": {}}
        for kind in CUSTOM:
            group = "/apis/" + "/".join(KINDS[kind].split("/")[2:4])
            served: dict[str, Any] = stand_in.objects.setdefault(group, {"resources": []})
            served["resources"].append({"kind": kind})
        yield stand_in


def run_pods(server: KubeStandIn) -> None:
    """Do what controllers and a kubelet do with a Deployment."""
    deployment = server.objects[f"{APPS}/deployments/wine"]
    deployment["metadata"]["generation"] = 1
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    named = {"name": "wine-1", "uid": "wine-1", "labels": labels, "creationTimestamp": "t"}
    server.objects[SET] = {"metadata": named, "spec": {"replicas": 1, "template": template}}
    server.objects[POD] = {"metadata": {"name": "wine-1-a", "labels": labels, "ownerReferences": [{"uid": "wine-1"}]}}


def live_through(server: KubeStandIn) -> None:
    """Deploy, look, ask, tell what else there is, and delete, each time under the lock."""
    api, clock = KubeApi(ClusterAccess(kubeconfig=str(server.kubeconfig))), ManualClock()
    cluster, inventory = KubeCluster(api, clock, takes_over=False), KubeInventory(api, KEY.environment, clock)
    locks = LeaseLocks(MemoryLocks(), lambda _: api, clock, "here")
    for policy in POLICIES:
        with locks.hold(KEY, "ann", 0):
            cluster.apply_blueprint(make_blueprint(policy=policy), dry_run=False)
            run_pods(server)
            cluster.describe_deployment(KEY)
            cluster.find_differences(make_blueprint(policy=policy))
            cluster.confirm_revision(KEY, 1)
            inventory.read_logs(KEY, 1, tail=1)
            ask(server, api)
            cluster.remove_revision(KEY, 1)
            del server.objects[POD]
            inventory.delete_deployment(KEY)


def ask(server: KubeStandIn, api: KubeApi) -> None:
    scorer = KubeScorer(api, lambda _fingerprint, _answer: None)
    for address in ("pods/wine-1-a", "services/wine"):
        server.ordered = [(200, b"{}")]
        scorer.invoke(address, BODY, 1.0)
    server.ordered = [(200, b"")]
    KubeMetrics(api).read_counts("wine-1-a")


def list_used(server: KubeStandIn) -> set[Verb]:
    """What a role must allow for all calls; what is applied first makes what was not there."""
    return {verb for method, path in server.calls for verb in name_verbs(method, path, is_new=True)}


def test_every_verb_of_the_role_is_needed_and_nothing_is_watched(server: KubeStandIn) -> None:
    live_through(server)
    granted = {(one.group, one.resource, one.verb) for one in list_permissions(KINDS, is_first=None)}
    # That an object is made that a call applies, only a real server tells; ReplicaSets are always there.
    assert list_used(server) - {("apps", "replicasets", "create")} == granted
    assert all(limit not in path for _, path in server.calls for limit in ("watch=", "limit=", "continue="))
