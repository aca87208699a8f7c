"""Owns where the API server keeps the kinds of objects that deployments have. To the first the others belong."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
        "Service": "/api/v1/namespaces/{}/services",
        "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
        "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    }
)
REPLICA_SETS = "/apis/apps/v1/namespaces/{}/replicasets"
PODS = "/api/v1/namespaces/{}/pods"


def locate(kind: str, namespace: str, name: str) -> str:
    """The path of one object."""
    return f"{KINDS[kind].format(namespace)}/{name}"
