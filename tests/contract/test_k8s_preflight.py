"""What is told of a cluster before anything is made, over real HTTP; and that it says what the shipped role says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockyard.adapters.k8s.api import KubeApi
from dockyard.adapters.k8s.kinds import KINDS
from dockyard.adapters.k8s.permissions import list_permissions
from dockyard.adapters.k8s.preflight import KubePreflight
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.k8s import ClusterAccess, K8sPlace, K8sPolicy, K8sSettings
from dockyard.domain.k8s_demand import Demand, imagine
from dockyard.domain.k8s_exposure import HttpRoute
from support.k8s_values import KEY, REPOSITORY
from support.kube_stand_in import KubeStandIn, run_kube_stand_in

GUIDE = Path(__file__).parents[2] / "docs/how-to/deploy-to-kubernetes.md"
NAMESPACE = "/api/v1/namespaces/models"
SETTINGS = K8sSettings(cpu="500m", cpu_limit="1", memory="1Gi", node_selector=(("disk", "ssd"),))
DEMAND = imagine(KEY, K8sPlace(settings=SETTINGS, policy=K8sPolicy(replicas=3)), REPOSITORY, "linux/amd64")


def make_node(architecture: str = "amd64", disk: str = "ssd", *images: str) -> dict[str, Any]:
    labels = {"kubernetes.io/arch": architecture, "disk": disk}
    return {"metadata": {"name": "n", "labels": labels}, "status": {"images": [{"names": list(images)}]}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KubeStandIn]:
    """One where all is well."""
    with run_kube_stand_in(tmp_path) as stand_in:
        stand_in.objects |= {
            "/version": {"major": "1", "minor": "28+", "gitVersion": "v1.28.4-eks"},
            NAMESPACE: {"metadata": {"name": "models"}, "status": {"phase": "Active"}},
            "/api/v1/nodes": {"items": [make_node()]},
            f"{NAMESPACE}/resourcequotas": {"items": []},
            f"{NAMESPACE}/limitranges": {"items": []},
        }
        yield stand_in


def examine(server: KubeStandIn, demand: Demand = DEMAND) -> dict[str, Finding]:
    """What is found, by code: what is worst of each."""
    found = KubePreflight(KubeApi(ClusterAccess(kubeconfig=str(server.kubeconfig)))).examine(demand)
    order = list(Severity)
    return {one.code: one for one in sorted(found, key=lambda one: order.index(one.severity))}


def test_cluster_that_will_do_is_told_look_by_look_and_not_changed(server: KubeStandIn) -> None:
    found = examine(server)
    codes = ["cluster", "namespace", "permissions", "quota", "limit-range", "nodes", "registry"]
    assert [(code, found[code].severity) for code in codes] == [(code, Severity.OK) for code in codes]
    assert found["cluster"].message == "Kubernetes v1.28.4-eks answers"
    assert {path for _, path in server.changes} == {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}
    assert "only a pod can tell" in found["registry"].message


@pytest.mark.parametrize(
    ("path", "value", "code", "words"),
    [
        ("/version", {"major": "1", "minor": "27", "gitVersion": "v1.27.3"}, "cluster", "1.28 is the oldest"),
        (NAMESPACE, None, "namespace", "there is no namespace models"),
        (NAMESPACE, {"metadata": {}, "status": {"phase": "Terminating"}}, "namespace", "is being deleted"),
        ("/api/v1/nodes", {"items": [make_node("arm64")]}, "nodes", "1 of 1 nodes are not amd64"),
    ],
)
def test_what_keeps_a_deploy_from_working_is_an_error(
    server: KubeStandIn, path: str, value: dict[str, Any] | None, code: str, words: str
) -> None:
    del server.objects[path]
    if value is not None:
        server.objects[path] = value
    found = examine(server)[code]
    assert (found.severity, words in found.message) == (Severity.ERROR, True), found
    assert found.remedy


@pytest.mark.parametrize(
    ("nodes", "words"),
    [([make_node(), make_node("arm64")], "1 of 2 nodes are not amd64"), ([make_node(disk="tape")], "no node has the labels")],
)
def test_nodes_that_may_not_do_are_a_warning(server: KubeStandIn, nodes: list[object], words: str) -> None:
    server.objects["/api/v1/nodes"] = {"items": nodes}
    found = examine(server)["nodes"]
    assert (found.severity, words in found.message) == (Severity.WARNING, True), found


def test_nodes_that_have_images_of_the_registry_reach_it(server: KubeStandIn) -> None:
    server.objects["/api/v1/nodes"] = {"items": [make_node("amd64", "ssd", "registry.example.com/other@sha256:1"), make_node()]}
    assert examine(server)["registry"].message == "1 of 2 nodes have images from registry.example.com"


def test_pod_security_level_is_told(server: KubeStandIn) -> None:
    server.objects[NAMESPACE]["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    assert "Pod Security level, restricted" in examine(server)["namespace"].message


@pytest.mark.parametrize(
    ("hard", "used", "spec", "words"),
    [
        ({"pods": "4"}, {"pods": "2"}, {}, "pods: 2 left, 3 needed"),
        ({"requests.cpu": "1"}, {}, {}, "requests.cpu: 1 left, 1.5 needed"),
        (
            {"limits.memory": "3Gi"},
            {"limits.memory": "512Mi"},
            {"scopes": ["NotTerminating"]},
            "limits.memory: 2684354560 left",
        ),
        ({"pods": "0"}, {}, {"scopes": ["BestEffort"]}, ""),
        ({"pods": "0"}, {}, {"scopeSelector": {"matchExpressions": []}}, ""),
        ({"pods": "3", "count/pods": "3", "services": "0", "limits.cpu": "3"}, {}, {}, ""),
    ],
)
def test_quota_without_room_is_a_warning(
    server: KubeStandIn, hard: dict[str, str], used: dict[str, str], spec: dict[str, Any], words: str
) -> None:
    quota = {"metadata": {"name": "small"}, "spec": spec, "status": {"hard": hard, "used": used}}
    server.objects[f"{NAMESPACE}/resourcequotas"] = {"items": [quota]}
    found = examine(server)["quota"]
    assert (found.severity is Severity.WARNING, words in found.message) == (bool(words), True), found


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"max": {"cpu": "900m"}}, "allows at most 900m of cpu"),
        ({"min": {"memory": "2Gi"}}, "allows at least 2Gi of memory"),
        ({"maxLimitRequestRatio": {"cpu": "1.5"}}, "at most 1.5 times"),
        ({"max": {"cpu": "1", "storage": "1Gi"}, "min": {"cpu": "500m"}, "maxLimitRequestRatio": {"cpu": "2"}}, ""),
        ({"type": "PersistentVolumeClaim", "max": {"cpu": "1m"}}, ""),
    ],
)
def test_limit_range_that_forbids_the_pods_is_an_error(server: KubeStandIn, rule: dict[str, Any], words: str) -> None:
    item = {"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Container", **rule}]}}
    server.objects[f"{NAMESPACE}/limitranges"] = {"items": [item]}
    found = examine(server)["limit-range"]
    assert (found.severity is Severity.ERROR, words in found.message) == (bool(words), True), found


@pytest.mark.parametrize(("kinds", "severity"), [([{"kind": "HTTPRoute"}], Severity.OK), ([], Severity.ERROR)])
def test_kind_that_a_setting_needs_must_be_installed(server: KubeStandIn, kinds: list[object], severity: Severity) -> None:
    server.objects["/apis/gateway.networking.k8s.io/v1"] = {"resources": kinds}
    policy = K8sPolicy(exposure=HttpRoute(gateway="shared", hostnames=("m.example.com",)))
    found = examine(server, imagine(KEY, K8sPlace(policy=policy), REPOSITORY, "linux/amd64"))["kinds"]
    assert (found.severity, "httproutes.gateway.networking.k8s.io" in found.message) == (severity, not kinds)


def test_missing_permissions_are_named(server: KubeStandIn) -> None:
    server.denied = {"patch deployments", "get pods"}
    found = examine(server)["permissions"]
    assert found.severity is Severity.ERROR
    assert found.message == "not allowed in namespace models: patch deployments.apps, get pods/log, get pods/proxy"


def test_deploy_asks_only_about_what_it_does(server: KubeStandIn) -> None:
    server.denied = {"create deployments", "delete services"}
    assert examine(server, replace(DEMAND, is_first=False))["permissions"].severity is Severity.OK
    assert examine(server, replace(DEMAND, is_first=True))["permissions"].severity is Severity.ERROR


def test_what_may_not_be_looked_at_is_a_warning_of_doctor_and_nothing_of_a_deploy(server: KubeStandIn) -> None:
    server.forbidden = ("nodes", "resourcequotas")
    found = examine(server)
    assert {code for code, one in found.items() if one.severity is Severity.WARNING} == {"nodes", "quota"}
    assert not {"nodes", "quota"} & examine(server, replace(DEMAND, is_first=False)).keys()


def test_server_that_does_not_answer_is_one_error_and_no_other_look(server: KubeStandIn) -> None:
    server.ordered = [(401, b'{"message": "Unauthorized"}')]
    assert [(code, one.severity) for code, one in examine(server).items()] == [("cluster", Severity.ERROR)]


def test_look_that_fails_keeps_no_other_from_looking(server: KubeStandIn) -> None:
    server.objects[f"{NAMESPACE}/limitranges"] = {"items": [{"metadata": {"name": "x"}, "spec": {}}]}
    version = (200, b'{"major": "1", "minor": "30", "gitVersion": "v1.30.0"}')
    server.ordered = [version, *[(503, b'{"message": "etcd is away"}')] * 4]
    found = examine(server)
    assert (found["namespace"].severity, found["nodes"].severity) == (Severity.WARNING, Severity.OK)
    assert "etcd is away" in found["namespace"].message


def test_role_of_the_guide_is_what_is_asked_about() -> None:
    (text,) = re.findall(r"(apiVersion: rbac.*?kind: Role\n.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    rules = yaml.safe_load(text)["rules"]
    granted = [(g, r, v) for one in rules for g in one["apiGroups"] for r in one["resources"] for v in one["verbs"]]
    assert sorted(granted) == sorted((one.group, one.resource, one.verb) for one in list_permissions(KINDS, is_first=None))
