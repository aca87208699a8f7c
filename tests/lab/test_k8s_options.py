"""What an environment may ask for around a deployment, all at once: routed, autoscaled, watched, and closed to strangers.

Other tests hold each object to its form; this one has what only real parts can show.
"""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from support.cluster_stand_in import wait_until
from support.deployments import Ended, Place
from support.k8s_yard import Yard, open_yard
from support.lab_probes import fetch_status

pytestmark = pytest.mark.lab

HOST = "options.test"
PORT_OF_SCORER = "8080"
OPTIONS: dict[str, object] = {
    "route": {"gateway": "lab", "namespace": "lab-gateway", "hostnames": [HOST], "path": "/{name}", "scheme": "http"},
    "autoscaling": {"min_replicas": 1, "max_replicas": 3, "cpu_percent": 90},
    "monitoring": {"namespace": "monitoring", "alerts": {}, "dashboard_labels": {"grafana_dashboard": "1"}},
    "peers": [{"pods": {"role": "friend"}}],
    "labels": {"team": "search"},
    "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": PORT_OF_SCORER},
    "tolerations": [{"key": "spot"}],
}
ASK = "import urllib.request as u; raise SystemExit(u.urlopen('http://shop/ping', timeout=5).status != 200)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A deployment with everything."""

    yard: Yard
    deployed: Ended

    def read(self, group: str, plural: str) -> dict[str, Any]:
        """One of its objects."""
        api = client.CustomObjectsApi(self.yard.core.api_client)
        found: dict[str, Any] = api.get_namespaced_custom_object(group, "v1", self.yard.namespace, plural, "shop")
        return found


@pytest.fixture(scope="module")
def served(models: Place, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Served]:
    with open_yard(models, lab_kubeconfig, lab_registry) as yard:
        yard.configure(**OPTIONS)
        yield Served(yard=yard, deployed=yard.deploy(1).expect(0))


def test_gateway_leads_to_the_model_by_the_url_that_is_shown(served: Served, lab_gateway: str) -> None:
    assert served.deployed.result["endpoint"] == f"http://{HOST}/shop"
    wait_until(lambda: fetch_status(f"{lab_gateway}/shop/ready", {"Host": HOST}) == 200)
    assert fetch_status(f"{lab_gateway}/ready", {"Host": HOST}) == 404


def test_nothing_is_written_again_and_an_autoscaled_number_is_no_drift(served: Served) -> None:
    yard = served.yard
    apps = client.AppsV1Api(yard.core.api_client)
    apps.patch_namespaced_deployment_scale("shop", yard.namespace, {"spec": {"replicas": 2}})
    before = yard.versions().keys()
    wait_until(lambda: apps.read_namespaced_deployment_status("shop", yard.namespace).status.available_replicas == 2)
    again = yard.deploy(1).expect(0)
    assert again.envelope["status"] == "unchanged", again.result["plan"]
    yard.place.run("drift", "k8s/shop", "--json").expect(0)
    assert yard.versions().keys() == before
    autoscaler = client.AutoscalingV2Api(yard.core.api_client).read_namespaced_horizontal_pod_autoscaler("shop", yard.namespace)
    assert autoscaler.spec.scale_target_ref.name == "shop"


def test_alerts_are_queries_that_prometheus_takes_over_metrics_that_it_scrapes(served: Served, lab_prometheus: str) -> None:
    ours = f'namespace="{served.yard.namespace}"'
    wait_until(lambda: bool(ask_prometheus(lab_prometheus, f"dockyard_ready{{{ours}}} == 1")))
    (group,) = served.read("monitoring.coreos.com", "prometheusrules")["spec"]["groups"]
    for rule in group["rules"]:
        # Its scrape knows pods, where the operator's knows Services as well.
        assert ask_prometheus(lab_prometheus, rule["expr"].replace(',service="shop"', "")) == [], rule["alert"]
    wait_until(lambda: bool(ask_prometheus(lab_prometheus, f'dockyard_requests_total{{{ours},route="/invocations"}}')))


def test_named_peers_are_let_in_and_strangers_are_not(served: Served) -> None:
    phases = {role: ask_as(served, role) for role in ("friend", "stranger")}
    assert phases == {"friend": "Succeeded", "stranger": "Failed"}


def test_everything_goes_with_its_setting(served: Served) -> None:
    yard = served.yard
    yard.configure(replicas=1, **{key: OPTIONS[key] for key in ("labels", "annotations", "tolerations")})
    ended = yard.deploy(1).expect(0)
    assert (ended.result["endpoint"], ended.result["revision"]) == (f"http://shop.{yard.namespace}.svc", 1)
    yard.place.run("drift", "k8s/shop", "--json").expect(0)
    api = client.CustomObjectsApi(yard.core.api_client)
    kinds = (("gateway.networking.k8s.io", "httproutes"), ("monitoring.coreos.com", "servicemonitors"))
    for group, plural in (*kinds, ("monitoring.coreos.com", "prometheusrules")):
        assert api.list_namespaced_custom_object(group, "v1", yard.namespace, plural)["items"] == []
    (policy,) = client.NetworkingV1Api(yard.core.api_client).list_namespaced_network_policy(yard.namespace).items
    assert policy.spec.ingress[0]._from is None


def ask_prometheus(address: str, query: str) -> list[object]:
    """The result of a query."""
    with urllib.request.urlopen(f"{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=10) as answer:
        found: list[object] = json.load(answer)["data"]["result"]
    return found


def ask_as(served: Served, role: str) -> str:
    """How a pod with that role ends that asks the model."""
    core, namespace = served.yard.core, served.yard.namespace
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    image = served.deployed.result["image"]
    container = {"name": "ask", "image": image, "command": ["python3", "-c", ASK], "securityContext": security}
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    core.create_namespaced_pod(namespace, {"metadata": {"name": role, "labels": {"role": role}}, "spec": spec})
    try:
        wait_until(lambda: core.read_namespaced_pod(role, namespace).status.phase in {"Succeeded", "Failed"})
        return str(core.read_namespaced_pod(role, namespace).status.phase)
    finally:
        core.delete_namespaced_pod(role, namespace, grace_period_seconds=0)
