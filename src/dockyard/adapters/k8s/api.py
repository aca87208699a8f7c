"""Owns one call to a Kubernetes API server: who we are there, what may be tried again, and what a refusal means.

The official client reads the client configuration, renews tokens and speaks TLS; paths and bodies are ours.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dockyard.adapters.k8s.refusals import TRANSIENT, explain_refusal
from dockyard.domain.errors import UnavailableError, UsageError
from dockyard.domain.k8s import DEFAULT_NAMESPACE, ClusterAccess

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Json = dict[str, Any]
"""An object of the API, as its documents have it."""

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
_TRIES = 4
_FIRST_PAUSE_SECONDS = 0.25
_CALL_SECONDS = 30.0
_IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeApi:
    """Calls the API server of one cluster. Connects when it is first asked for something."""

    def __init__(self, access: ClusterAccess) -> None:
        self._access = access

    @cached_property
    def namespace(self) -> str:
        """The namespace that is configured, else that of the context, else of the pod that we run in, else `default`."""
        return self._access.namespace or self._find_namespace() or DEFAULT_NAMESPACE

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Json | None:
        """An object or a list of them; None where there is none."""
        status, body = self.call("GET", path, query)
        return None if status == 404 else _read(status, body, f"read {_title(path)}")

    def list(self, path: str, selector: str, *, is_optional: bool = False) -> list[Json]:
        """The objects that have some labels; with `is_optional` none where we may not ask."""
        status, body = self.call("GET", path, {"labelSelector": selector})
        if status == 404 or (is_optional and status == 403):
            return []
        return list(_read(status, body, f"read {_title(path)}").get("items") or [])

    def patch(self, path: str, body: Json, content_type: str, query: Mapping[str, str]) -> Json:
        """Change an object, or make it; return what it is then."""
        data = json.dumps(body).encode()
        return _read(*self.call("PATCH", path, query, (data, content_type)), f"apply {_title(path)}")

    def delete(self, path: str) -> None:
        """Delete an object with all that belongs to it; one that is not there is no error."""
        status, body = self.call("DELETE", path, {"propagationPolicy": "Background"})
        if status != 404:
            _read(status, body, f"delete {_title(path)}")

    def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: tuple[bytes, str] | None = None
    ) -> tuple[int, bytes]:
        """Send one of the calls that may be repeated; what may pass by itself is tried again."""
        pause = _FIRST_PAUSE_SECONDS
        for _ in range(_TRIES - 1):
            try:
                status, answer = self.send(method, path, query, body)
            except UnavailableError:
                time.sleep(pause)
            else:
                if status not in TRANSIENT:
                    return status, answer
                time.sleep(pause)
            pause *= 2
        return self.send(method, path, query, body)

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: tuple[bytes, str] | None = None,
        *,
        timeout_seconds: float = _CALL_SECONDS,
    ) -> tuple[int, bytes]:
        """Send a call once; return status and body. Raises UnavailableError `cluster-unreachable`."""
        from urllib3.exceptions import HTTPError

        client = self._client
        address = f"{client.configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = dict(client.default_headers) | {"Accept": "application/json, */*"}
        headers |= {one["key"]: one["value"] for one in client.configuration.auth_settings().values() if one["value"]}
        if body is not None:
            headers["Content-Type"] = body[1]
        try:
            answer = client.rest_client.pool_manager.request(
                method, address, body=body[0] if body else None, headers=headers, timeout=timeout_seconds, retries=False
            )
        except HTTPError as error:
            raise UnavailableError(
                "cluster-unreachable",
                f"the Kubernetes API server {client.configuration.host} does not answer ({type(error).__name__})",
                hint="does `kubectl get --raw /readyz` answer, with the same context?",
            ) from error
        return int(answer.status), bytes(answer.data)

    @cached_property
    def _client(self) -> ApiClient:
        from kubernetes import client, config

        try:
            if self._is_in_cluster:
                settings = client.Configuration()
                config.load_incluster_config(client_configuration=settings)
                return client.ApiClient(settings)
            return config.new_client_from_config(self._file, context=self._access.context)
        except (config.ConfigException, OSError) as error:
            raise UsageError(
                "cluster-unknown",
                f"the Kubernetes client configuration cannot be used: {error}",
                hint="name its file in KUBECONFIG or `kubeconfig`, and one of its contexts in `context` or `--context`",
            ) from error

    @property
    def _file(self) -> str | None:
        return str(Path(self._access.kubeconfig).expanduser()) if self._access.kubeconfig else None

    @property
    def _is_in_cluster(self) -> bool:
        """Whether this is a pod, and nobody names another way to a cluster."""
        named = self._access.kubeconfig or self._access.context or os.environ.get("KUBECONFIG")
        return not named and not Path("~/.kube/config").expanduser().exists() and (_IN_CLUSTER / "token").exists()

    def _find_namespace(self) -> str | None:
        from kubernetes import config

        if self._is_in_cluster:
            return (_IN_CLUSTER / "namespace").read_text(encoding="utf-8").strip()
        try:
            contexts, active = config.list_kube_config_contexts(self._file)
        except config.ConfigException:
            return None  # what is wrong with it, the first call tells
        wanted = self._access.context
        chosen = next((one for one in contexts if one["name"] == wanted), None) if wanted else active
        return chosen["context"].get("namespace") if chosen else None


def _title(path: str) -> str:
    """What a path leads to, as `deployments/wine`."""
    return "/".join(path.split("/")[-2:])


def _read(status: int, body: bytes, what: str) -> Json:
    if status >= 400:
        raise explain_refusal(status, body, what)
    found: Json = json.loads(body)
    return found
