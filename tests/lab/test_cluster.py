"""The lab's Kubernetes is a real one: its node is ready, a pod runs to its end, and what stands around it answers."""

from __future__ import annotations

import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client, config, utils

from support.lab_probes import fetch_status

pytestmark = pytest.mark.lab
SECONDS = 60


@pytest.fixture(name="api", scope="module")
def cluster_client(lab_kubeconfig: Path) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(lab_kubeconfig)) as api:
        yield api


@pytest.fixture(name="namespace", scope="module")
def own_namespace(api: client.ApiClient) -> Iterator[str]:
    core, name = client.CoreV1Api(api), f"lab-test-{secrets.token_hex(3)}"
    core.create_namespace({"metadata": {"name": name}})
    # A pod needs its namespace's account, which a controller makes.
    wait_until(lambda: bool(core.list_namespaced_service_account(name).items))
    yield name
    core.delete_namespace(name)


def wait_until(answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not answers():
        assert time.monotonic() < deadline, f"not within {SECONDS} s"
        time.sleep(0.2)


def test_every_node_is_ready(api: client.ApiClient) -> None:
    nodes = client.CoreV1Api(api).list_node().items
    assert nodes
    for node in nodes:
        assert [one.status for one in node.status.conditions if one.type == "Ready"] == ["True"]


def test_pod_runs_to_its_end_and_its_log_is_there(api: client.ApiClient, namespace: str, lab_registry: str) -> None:  # noqa: ARG001
    core = client.CoreV1Api(api)
    container = {"name": "main", "image": "busybox:latest", "command": ["echo", "done"]}
    pod = {"metadata": {"name": "once"}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    core.create_namespaced_pod(namespace, pod)
    wait_until(lambda: core.read_namespaced_pod("once", namespace).status.phase == "Succeeded")
    assert core.read_namespaced_pod_log("once", namespace) == "done\n"


def test_gateway_brings_a_request_to_the_service_that_its_route_names(
    api: client.ApiClient, namespace: str, lab_gateway: str
) -> None:
    utils.create_from_dict(api, web_deployment(), namespace=namespace)
    utils.create_from_dict(api, web_service(), namespace=namespace)
    host = f"{namespace}.test"
    client.CustomObjectsApi(api).create_namespaced_custom_object(
        "gateway.networking.k8s.io", "v1", namespace, "httproutes", web_route(host)
    )

    def answer() -> bytes:
        try:
            request = urllib.request.Request(lab_gateway, headers={"Host": host})
            with urllib.request.urlopen(request, timeout=5) as response:
                return bytes(response.read())
        except (urllib.error.URLError, ConnectionError):
            return b""

    wait_until(lambda: answer() == b"through the gateway\n")


def web_deployment() -> dict[str, object]:
    script = "mkdir /www && echo through the gateway >/www/index.html && exec httpd -f -p 8080 -h /www"
    container = {
        "name": "web",
        "image": "busybox:latest",
        "command": ["sh", "-c", script],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def web_service() -> dict[str, object]:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def web_route(host: str) -> dict[str, object]:
    spec = {
        "parentRefs": [{"name": "lab", "namespace": "lab-gateway"}],
        "hostnames": [host],
        "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
    }
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": spec}


def test_prometheus_answers_queries(lab_prometheus: str) -> None:
    assert fetch_status(f"{lab_prometheus}/api/v1/query?query=vector(1)") == 200


def test_kustomize_controller_and_its_definitions_are_there(api: client.ApiClient, lab_flux_health: str) -> None:
    assert fetch_status(f"{lab_flux_health}/healthz") == 200
    definitions = {one.metadata.name for one in client.ApiextensionsV1Api(api).list_custom_resource_definition().items}
    assert {"kustomizations.kustomize.toolkit.fluxcd.io", "gitrepositories.source.toolkit.fluxcd.io"} <= definitions
