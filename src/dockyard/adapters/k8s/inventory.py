"""Owns the ClusterInventory port: all deployments of an environment their end, their logs, what is left over."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.adapters.k8s.api import Json, KubeApi
from dockyard.adapters.k8s.kinds import KINDS, OPTIONAL, PODS, REPLICA_SETS, locate
from dockyard.adapters.k8s.labels import (
    ENVIRONMENT,
    is_made_by_controller,
    read_key,
    select_all_pods,
    write_selector,
)
from dockyard.adapters.k8s.looks import group_replica_sets, list_owned
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UnavailableError
from dockyard.ports import Clock

_DEPLOYMENT, *_OTHERS = KINDS
_GONE_SECONDS = 180.0
_PAUSE_SECONDS = 0.25


class KubeInventory:
    """The namespace of one environment, over all its deployments."""

    def __init__(self, api: KubeApi, environment: str, clock: Clock) -> None:
        self._api = api
        self._environment = environment
        self._clock = clock

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of the environment."""
        return tuple(sorted({key for key, _ in self._list(_DEPLOYMENT)}, key=str))

    def delete_deployment(self, key: DeploymentKey) -> None:
        """Delete all objects of a deployment, and return when they and its pods are gone."""
        selector = write_selector(select_all_pods(key))
        for kind in (*_OTHERS, _DEPLOYMENT):
            for found, item in self._list(kind):
                if found == key:
                    self._api.delete(self._locate(kind, item))
        self._wait_until_gone(key, selector)

    def read_logs(self, key: DeploymentKey, number: int, *, tail: int) -> tuple[str, ...]:
        """The last lines that the pods of a revision have logged, pod after pod."""
        namespace, selector = self._api.namespace, write_selector(select_all_pods(key))
        group = group_replica_sets(self._api.list(REPLICA_SETS.format(namespace), selector)).get(number, [])
        pods = self._api.list(PODS.format(namespace), selector)
        owned = [pod["metadata"]["name"] for one in group for pod in list_owned(pods, one)]
        return tuple(line for name in sorted(owned) for line in self._read_pod(name, tail, is_alone=len(owned) == 1))

    def list_orphans(self) -> tuple[str, ...]:
        """Objects whose Deployment is gone."""
        return tuple(f"{kind}/{item['metadata']['name']}" for kind, item in self._find_orphans())

    def delete_orphans(self) -> None:
        """Delete them."""
        for kind, item in tuple(self._find_orphans()):
            self._api.delete(self._locate(kind, item))

    def _find_orphans(self) -> Iterator[tuple[str, Json]]:
        there = self.list_deployments()
        for kind in _OTHERS:
            for key, item in self._list(kind):
                if key not in there:
                    yield kind, item

    def _list(self, kind: str) -> Iterator[tuple[DeploymentKey, Json]]:
        selector = write_selector({ENVIRONMENT: self._environment})
        for item in self._api.list(KINDS[kind].format(self._api.namespace), selector, is_optional=kind in OPTIONAL):
            key = read_key(item["metadata"].get("labels") or {})
            if key is not None and not is_made_by_controller(item):
                yield key, item

    def _locate(self, kind: str, item: Json) -> str:
        return locate(kind, self._api.namespace, item["metadata"]["name"])

    def _wait_until_gone(self, key: DeploymentKey, selector: str) -> None:
        end = self._clock.monotonic() + _GONE_SECONDS
        namespace = self._api.namespace
        while any(self._api.list(path.format(namespace), selector) for path in (REPLICA_SETS, PODS)):
            if self._clock.monotonic() >= end:
                raise UnavailableError(
                    "cluster-unreachable",
                    f"the pods of {key} have not ended after {_GONE_SECONDS:.0f} s",
                    hint="does their node answer? `kubectl get pods -o wide` tells",
                )
            self._clock.sleep(_PAUSE_SECONDS)

    def _read_pod(self, name: str, tail: int, *, is_alone: bool) -> Iterator[str]:
        """What its container logs, or has logged before it ended; each line behind the pod's name where there are several."""
        path = f"{PODS.format(self._api.namespace)}/{name}/log"
        status, body = self._api.call("GET", path, {"tailLines": str(tail)})
        if status != 200 or not body:
            status, body = self._api.call("GET", path, {"tailLines": str(tail), "previous": "true"})
        if status == 200:
            for line in body.decode("utf-8", "replace").splitlines():
                yield line if is_alone else f"{name}: {line}"
