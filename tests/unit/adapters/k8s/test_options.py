"""The objects that options make: autoscalers, monitoring, named peers, placement of pods."""

from __future__ import annotations

import json
import re
from pathlib import Path

from dockyard.adapters.k8s.manifests import Manifest, render_manifests
from dockyard.domain.k8s import K8sPolicy
from dockyard.domain.k8s_monitoring import Monitoring
from dockyard_scorer.metrics import Metrics
from support.k8s_values import make_blueprint
from support.k8s_variants import VARIANTS

PAGE = Path(__file__).parents[4] / "docs/how-to/answer-alerts.md"


def render(variant: str) -> dict[str, Manifest]:
    return {one["kind"]: one for one in render_manifests(VARIANTS[variant], "models")}


def test_autoscaler_has_the_number_of_pods_and_the_deployment_says_nothing_of_it() -> None:
    objects = render("autoscaled")
    assert "replicas" not in objects["Deployment"]["spec"]
    spec = objects["HorizontalPodAutoscaler"]["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "wine"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)
    assert [(one["resource"]["name"], one["resource"]["target"]["averageUtilization"]) for one in spec["metrics"]] == [
        ("cpu", 70),
        ("memory", 80),
    ]
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    assert "ScaledObject" not in objects


def test_queries_and_hours_are_left_to_keda() -> None:
    objects = render("by KEDA")
    assert ("replicas" in objects["Deployment"]["spec"], "HorizontalPodAutoscaler" in objects) == (False, False)
    spec = objects["ScaledObject"]["spec"]
    assert (spec["scaleTargetRef"], spec["minReplicaCount"], spec["maxReplicaCount"]) == ({"name": "wine"}, 1, 9)
    assert spec["triggers"] == [
        {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}},
        {
            "type": "prometheus",
            "metadata": {"serverAddress": "http://prometheus:9090", "query": 'sum(x{service="wine"})', "threshold": "2.5"},
        },
        {
            "type": "cron",
            "metadata": {"timezone": "UTC", "start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "5"},
        },
    ]


def test_prometheus_scrapes_the_services_own_port_and_finds_its_objects_by_labels() -> None:
    objects = render("monitored")
    monitor = objects["ServiceMonitor"]
    service = objects["Service"]
    assert (
        monitor["metadata"]["labels"]["release"] == objects["PrometheusRule"]["metadata"]["labels"]["release"] == "prometheus"
    )
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["models"]}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint == {
        "port": service["spec"]["ports"][0]["name"],
        "path": "/metrics",
        "interval": "5s",
        "scrapeTimeout": "5s",
    }


def test_every_alert_asks_for_metrics_that_the_scorer_has_and_leads_to_its_runbook() -> None:
    (group,) = render("monitored")["PrometheusRule"]["spec"]["groups"]
    text, page = _list_metrics(), PAGE.read_text(encoding="utf-8")
    for rule in group["rules"]:
        assert set(re.findall(r"(?:dockyard|process)_[a-z_]+", rule["expr"])) <= text, rule["alert"]
        assert 'namespace="models",service="wine"' in rule["expr"]
        assert rule["annotations"]["runbook_url"] == f"https://docs.example.com/alerts#{rule['alert'].lower()}"
        assert f"## {rule['alert']}\n" in page
    thresholds = [rule["expr"].rpartition(" ")[2] for rule in group["rules"]]
    assert thresholds == ["2", "0.5", "1)", "4"]


def test_dashboard_shows_metrics_that_the_scorer_has() -> None:
    config = render("monitored")["ConfigMap"]
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    dashboard = json.loads(config["data"]["models-wine.json"])
    asked = {name for panel in dashboard["panels"] for name in _find_names(panel["targets"][0]["expr"])}
    assert asked <= _list_metrics()
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_monitoring_without_more_is_a_service_monitor() -> None:
    made = {one["kind"] for one in render_manifests(make_blueprint(policy=K8sPolicy(monitoring=Monitoring())), "models")}
    assert made - {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"} == {"ServiceMonitor"}


def test_named_peers_are_namespaces_pods_addresses_the_gateways_and_prometheus_namespace() -> None:
    (rule,) = render("monitored")["NetworkPolicy"]["spec"]["ingress"]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}},
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "web"}},
            "podSelector": {"matchLabels": {"app": "front"}},
        },
        {"podSelector": {"matchLabels": {"app": "batch"}}},
        {"ipBlock": {"cidr": "10.0.0.0/8"}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
    ]


def test_pods_may_call_whom_is_named_and_look_up_names() -> None:
    names, called = render("monitored")["NetworkPolicy"]["spec"]["egress"]
    assert [(one["port"], one["protocol"]) for one in names["ports"]] == [(53, "UDP"), (53, "TCP")]
    assert called["to"] == render("monitored")["NetworkPolicy"]["spec"]["ingress"][0]["from"][1:4] != []
    assert "ports" not in called


def test_pods_may_call_everybody_where_nobody_is_named() -> None:
    assert render("plain")["NetworkPolicy"]["spec"]["egress"] == [{}]


def test_pods_go_where_they_are_told_to() -> None:
    template = render("placed")["Deployment"]["spec"]["template"]
    pod = template["spec"]
    assert pod["tolerations"] == [
        {"operator": "Exists", "key": "gpu"},
        {"operator": "Equal", "key": "spot", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 0},
    ]
    assert (pod["affinity"].pop("nodeAffinity"), list(pod["affinity"])) == ({}, ["podAntiAffinity"])
    assert (pod["runtimeClassName"], pod["priorityClassName"]) == ("nvidia", "serving")
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("models", False)
    resources = pod["containers"][0]["resources"]
    assert resources["requests"]["amd.com/gpu"] == resources["limits"]["amd.com/gpu"] == 2
    assert template["metadata"]["labels"]["team"] == "search"
    assert template["metadata"]["annotations"]["example.com/cost-center"] == "17"


def _find_names(expression: str) -> list[str]:
    return re.findall(r"(?:dockyard|process)_[a-z_]+", expression)


def _list_metrics() -> set[str]:
    """The series that a scorer has."""
    metrics = Metrics()
    metrics.count_request(route="/invocations", status=200, seconds=0.1)
    metrics.count_error("model-failed")
    return set(re.findall(r"^([a-z_]+)(?:{| )", metrics.render().decode(), re.MULTILINE))
