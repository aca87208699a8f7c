"""Questions to the lab's parts: is there one, and does it answer? Each takes seconds at most, and none raises.

Must not change anything on the part that it asks.
"""

from __future__ import annotations

import base64
import contextlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

SECONDS = 5


def fetch_status(url: str, headers: dict[str, str] | None = None) -> int:
    """The status of a GET by plain HTTP; 0 when nobody answers."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, HTTPException, ValueError):
        return 0


def engine_answers(host: str) -> bool:
    import docker
    from docker.errors import DockerException

    try:
        with contextlib.closing(docker.DockerClient(base_url=host, timeout=SECONDS)) as client:
            return bool(client.ping())
    except DockerException:
        return False


def registry_answers(address: str, user: str = "", password: str = "") -> bool:
    """Whether a registry lets us in. Without a user it must be open."""
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"} if user else {}
    return fetch_status(f"http://{address}/v2/", headers) == 200


def cluster_answers(kubeconfig: str) -> bool:
    from kubernetes import client, config
    from kubernetes.config import ConfigException
    from urllib3.exceptions import HTTPError

    try:
        with config.new_client_from_config(kubeconfig) as api:
            # One try: the client's own three would each wait for the whole time.
            api.rest_client.pool_manager.connection_pool_kw["retries"] = False
            return bool(client.VersionApi(api).get_code(_request_timeout=SECONDS))
    except (ConfigException, client.ApiException, HTTPError, OSError):
        return False


def gateway_is_programmed(kubeconfig: Path) -> Callable[[str], bool]:
    """A probe for a gateway's URL. A gateway listens only once it has a route: its object in the cluster is asked."""
    from kubernetes import client, config

    def probe(_url: str) -> bool:
        with config.new_client_from_config(str(kubeconfig)) as api:
            objects = client.CustomObjectsApi(api)
            place = {"group": "gateway.networking.k8s.io", "version": "v1", "plural": "gateways"}
            try:
                found = objects.get_namespaced_custom_object(namespace="lab-gateway", name="lab", **place)
            except client.ApiException:
                return False
        conditions = found.get("status", {}).get("conditions", [])
        return any(one["type"] == "Programmed" and one["status"] == "True" for one in conditions)

    return probe


def prometheus_is_ready(url: str) -> bool:
    return fetch_status(f"{url}/-/ready") == 200


def controller_is_ready(url: str) -> bool:
    return fetch_status(f"{url}/readyz") == 200


def has_helm(folder: str) -> bool:
    return os.access(Path(folder, "helm"), os.X_OK)
