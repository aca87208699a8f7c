"""Owns where the API server keeps the kinds of objects that deployments have, and which of them a cluster may lack.

To the first the others belong.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
        "Service": "/api/v1/namespaces/{}/services",
        "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
        "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
        "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
        "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes",
        "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
        "ScaledObject": "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects",
        "ServiceMonitor": "/apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors",
        "PrometheusRule": "/apis/monitoring.coreos.com/v1/namespaces/{}/prometheusrules",
        "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    }
)
OPTIONAL = frozenset({*KINDS} - {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"})
"""Kinds that a deployment may do without: whoever may not list them has made none."""
CUSTOM: Mapping[str, str] = MappingProxyType(
    {
        "HTTPRoute": "the Gateway API",
        "ScaledObject": "KEDA",
        "ServiceMonitor": "the Prometheus operator",
        "PrometheusRule": "the Prometheus operator",
    }
)
"""Kinds that a cluster has only where something else has brought them."""
REPLICA_SETS = "/apis/apps/v1/namespaces/{}/replicasets"
PODS = "/api/v1/namespaces/{}/pods"


def locate(kind: str, namespace: str, name: str) -> str:
    """The path of one object."""
    return f"{KINDS[kind].format(namespace)}/{name}"


def name_definition(kind: str) -> str:
    """The CustomResourceDefinition that a kind comes from, as `httproutes.gateway.networking.k8s.io`."""
    _, _, group, _, _, _, plural = KINDS[kind].split("/")
    return f"{plural}.{group}"
