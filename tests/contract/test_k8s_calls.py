"""Which calls the adapters make of an API server: only reads where nothing is to be changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockyard.adapters.k8s.api import KubeApi
from dockyard.adapters.k8s.cluster import KubeCluster
from dockyard.adapters.k8s.inventory import KubeInventory
from dockyard.adapters.k8s.replicas import HOLDER
from dockyard.domain.errors import ConflictError, CredentialsError, NotFoundError, UnavailableError
from dockyard.domain.k8s import ClusterAccess, K8sPolicy
from dockyard.domain.k8s_exposure import HttpRoute, Ingress
from dockyard.domain.k8s_scaling import Autoscaling
from dockyard.testing.surroundings import ManualClock
from support.k8s_values import KEY, make_blueprint
from support.kube_stand_in import KubeStandIn, run_kube_stand_in

APPS = "/apis/apps/v1/namespaces/models"
DEPLOYMENT = f"{APPS}/deployments/wine"
SET = f"{APPS}/replicasets/wine-1"
POD = "/api/v1/namespaces/models/pods/wine-1-a"
SERVICE = "/api/v1/namespaces/models/services/wine"
WAY_IN = "/apis/networking.k8s.io/v1/namespaces/models/ingresses/wine"
INGRESS = Ingress(host="wine.example.com")


class Subject:
    """The adapters, and the server that they speak to."""

    def __init__(self, server: KubeStandIn) -> None:
        api, self.clock = KubeApi(ClusterAccess(kubeconfig=str(server.kubeconfig))), ManualClock()
        self.server = server
        self.cluster = KubeCluster(api, self.clock, takes_over=False)
        self.inventory = KubeInventory(api, KEY.environment, self.clock)

    def serve(self, policy: K8sPolicy | None = None) -> None:
        """Apply revision 1, and do what controllers and a kubelet do then."""
        self.cluster.apply_blueprint(make_blueprint(policy=policy), dry_run=False)
        deployment = self.server.objects[DEPLOYMENT]
        template = deployment["spec"]["template"]
        labels = template["metadata"]["labels"]
        deployment["metadata"]["generation"] = 1
        deployment["status"] = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
        named: dict[str, Any] = {"name": "wine-1", "uid": "wine-1", "labels": labels, "creationTimestamp": "t"}
        self.server.objects[SET] = {"metadata": named, "spec": {"replicas": 2, "template": template}}
        owners = [{"uid": "wine-1"}]
        pod = {"metadata": {"name": "wine-1-a", "labels": labels, "ownerReferences": owners}}
        self.server.objects[POD] = {**pod, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        self.server.calls.clear()


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    with run_kube_stand_in(tmp_path) as server:
        yield Subject(server)


def test_everything_is_applied_by_one_manager_and_the_deployment_first(subject: Subject) -> None:
    subject.cluster.apply_blueprint(make_blueprint(), dry_run=False)
    changes = subject.server.changes
    assert [path.partition("?")[0].rpartition("/")[0].rpartition("/")[2] for _, path in changes] == [
        "deployments",
        "services",
        "poddisruptionbudgets",
        "networkpolicies",
    ]
    assert all("fieldManager=dockyard&fieldValidation=Strict&force=false" in path for _, path in changes)


def test_looking_and_comparing_change_nothing(subject: Subject) -> None:
    subject.serve()
    seen = subject.cluster.describe_deployment(KEY)
    assert (seen.current, seen.is_settled, [one.number for one in seen.revisions]) == (1, True, [1])
    assert subject.cluster.find_differences(make_blueprint()) == ()
    subject.cluster.apply_blueprint(make_blueprint(2, number=2), dry_run=True)
    assert subject.inventory.list_deployments() == (KEY,)
    assert subject.inventory.list_orphans() == ()
    assert subject.server.changes == []


def test_differences_name_the_field_and_what_is_there_too_much(subject: Subject) -> None:
    subject.serve(K8sPolicy(replicas=3, exposure=INGRESS))
    found = {one.what: (one.before, one.after) for one in subject.cluster.find_differences(make_blueprint())}
    assert found["Deployment/wine spec.replicas"] == ("3", "2")
    assert found["Ingress/wine"] == ("there", None)
    del subject.server.objects[SERVICE]
    found = {one.what: (one.before, one.after) for one in subject.cluster.find_differences(make_blueprint())}
    assert found["Service/wine"] == (None, "there")


def test_what_is_no_more_wanted_is_deleted_but_not_by_a_dry_run(subject: Subject) -> None:
    subject.serve(K8sPolicy(exposure=INGRESS))
    subject.cluster.apply_blueprint(make_blueprint(), dry_run=True)
    assert WAY_IN in subject.server.objects
    subject.cluster.apply_blueprint(make_blueprint(), dry_run=False)
    assert WAY_IN not in subject.server.objects


def test_kind_that_the_cluster_does_not_serve_is_named_before_anything_is_written(subject: Subject) -> None:
    policy = K8sPolicy(exposure=HttpRoute(gateway="shared", hostnames=("wine.example.com",)))
    for served in ({}, {"resources": [{"kind": "GRPCRoute"}]}):
        subject.server.objects["/apis/gateway.networking.k8s.io/v1"] = served
        with pytest.raises(NotFoundError, match=r"httproutes\.gateway\.networking\.k8s\.io") as lacking:
            subject.cluster.apply_blueprint(make_blueprint(policy=policy), dry_run=True)
        assert lacking.value.code == "kind-missing"
    subject.server.objects["/apis/gateway.networking.k8s.io/v1"] = {"resources": [{"kind": "HTTPRoute"}]}
    subject.cluster.apply_blueprint(make_blueprint(policy=policy), dry_run=True)
    assert subject.server.changes == []


def test_number_of_pods_is_held_until_the_autoscaler_sets_it_and_then_taken_back(subject: Subject) -> None:
    scaled = make_blueprint(policy=K8sPolicy(scaling=Autoscaling(min_replicas=3, max_replicas=5, cpu_percent=70)))
    subject.cluster.apply_blueprint(scaled, dry_run=True)
    assert subject.server.changes == []
    subject.cluster.apply_blueprint(scaled, dry_run=False)
    assert subject.server.objects[DEPLOYMENT]["spec"]["replicas"] == 3
    assert ["fieldManager=dockyard&" in subject.server.changes[0][1], HOLDER in subject.server.changes[1][1]] == [True, True]
    subject.server.objects[DEPLOYMENT]["spec"]["replicas"] = 5
    assert subject.cluster.find_differences(scaled) == ()
    subject.server.calls.clear()
    subject.cluster.apply_blueprint(make_blueprint(), dry_run=False)
    assert [method for method, path in subject.server.changes if "/horizontalpodautoscalers/wine" in path] == ["DELETE"]
    assert ["force=true" in path for _, path in subject.server.changes if "/deployments/wine" in path] == [True]
    assert subject.server.changes[0][0] == "DELETE"


def test_number_of_pods_that_is_ours_is_handed_over_as_it_is(subject: Subject) -> None:
    subject.serve(K8sPolicy(replicas=4))
    owner = {"manager": "dockyard", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    subject.server.objects[DEPLOYMENT]["metadata"]["managedFields"] = [owner]
    scaled = make_blueprint(policy=K8sPolicy(scaling=Autoscaling(max_replicas=5, cpu_percent=70)))
    subject.cluster.apply_blueprint(scaled, dry_run=False)
    assert HOLDER in subject.server.changes[0][1]
    assert subject.server.objects[DEPLOYMENT]["spec"]["replicas"] == 4


def test_object_that_a_controller_made_of_ours_is_left_to_it(subject: Subject) -> None:
    subject.serve()
    path = "/apis/autoscaling/v2/namespaces/models/horizontalpodautoscalers/keda-hpa-wine"
    labels = subject.server.objects[DEPLOYMENT]["metadata"]["labels"]
    owner = {"kind": "ScaledObject", "name": "wine", "controller": True}
    subject.server.objects[path] = {"metadata": {"name": "keda-hpa-wine", "labels": labels, "ownerReferences": [owner]}}
    subject.cluster.apply_blueprint(make_blueprint(), dry_run=False)
    del subject.server.objects[DEPLOYMENT]
    assert "HorizontalPodAutoscaler/keda-hpa-wine" not in subject.inventory.list_orphans()
    assert path in subject.server.objects


def test_optional_kind_that_we_may_not_list_is_taken_as_absent(subject: Subject) -> None:
    subject.serve()
    subject.server.forbidden = ("ingresses", "httproutes")
    always = ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy")
    assert subject.cluster.describe_deployment(KEY).objects == tuple(f"{kind}/wine" for kind in always)
    assert subject.inventory.list_orphans() == ()
    subject.server.forbidden = ("services",)
    with pytest.raises(CredentialsError):
        subject.cluster.describe_deployment(KEY)


def test_object_of_somebody_else_is_not_touched(subject: Subject) -> None:
    subject.server.objects[SERVICE] = {"metadata": {"name": "wine", "labels": {"app.kubernetes.io/managed-by": "Helm"}}}
    with pytest.raises(ConflictError, match="Service wine in namespace models was not made for k8s/wine"):
        subject.cluster.apply_blueprint(make_blueprint(), dry_run=True)
    assert subject.server.changes == []


def test_proof_is_noted_on_the_replica_set(subject: Subject) -> None:
    subject.serve()
    subject.cluster.confirm_revision(KEY, 1)
    assert [path.partition("?")[0] for _, path in subject.server.changes] == [SET]
    seen = subject.cluster.describe_deployment(KEY)
    assert (seen.serving, seen.serving_since) == (1, "2026-01-01T00:00:00+00:00")
    with pytest.raises(NotFoundError):
        subject.cluster.confirm_revision(KEY, 2)


def test_removed_revision_is_its_replica_set(subject: Subject) -> None:
    subject.serve()
    subject.cluster.remove_revision(KEY, 2)
    assert subject.server.changes == []
    subject.cluster.remove_revision(KEY, 1)
    assert [(method, path.partition("?")[0]) for method, path in subject.server.changes] == [("DELETE", SET)]


def test_deleting_ends_with_the_deployment_and_waits_for_its_pods(subject: Subject) -> None:
    subject.serve()
    with pytest.raises(UnavailableError, match="have not ended after 180 s"):
        subject.inventory.delete_deployment(KEY)
    deleted = [path.partition("?")[0] for method, path in subject.server.changes if method == "DELETE"]
    assert (deleted[-1], SERVICE in deleted) == (DEPLOYMENT, True)
    del subject.server.objects[SET], subject.server.objects[POD]
    subject.inventory.delete_deployment(KEY)
    assert subject.server.objects == {}


def test_objects_whose_deployment_is_gone_are_orphans(subject: Subject) -> None:
    subject.serve()
    del subject.server.objects[DEPLOYMENT]
    assert subject.inventory.list_orphans() == ("Service/wine", "PodDisruptionBudget/wine", "NetworkPolicy/wine")
    subject.inventory.delete_orphans()
    assert subject.inventory.list_orphans() == ()


def test_log_is_that_of_the_pods_and_of_a_container_that_ended_where_none_runs(subject: Subject) -> None:
    subject.serve()
    subject.server.objects[f"{POD}/log"] = {"line": 1}
    assert subject.inventory.read_logs(KEY, 1, tail=5) == ('{"line": 1}',)
    second = {**subject.server.objects[POD], "metadata": {**subject.server.objects[POD]["metadata"], "name": "wine-1-b"}}
    subject.server.objects[POD.replace("1-a", "1-b")] = second
    assert subject.inventory.read_logs(KEY, 1, tail=5) == ('wine-1-a: {"line": 1}',)
    asked = [path for _, path in subject.server.calls if "wine-1-b/log" in path]
    assert ["previous=true" in path for path in asked] == [False, True]
    assert subject.inventory.read_logs(KEY, 2, tail=5) == ()
