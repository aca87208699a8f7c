"""Owns who decides how many pods a Deployment has, we or an autoscaler, and how one hands over to the other.

A field that nobody applies any more goes back to its default, which would be a single pod. So the number is first held by a
manager of its own, until the autoscaler sets it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockyard.adapters.k8s.labels import MANAGER, read_policy

Json = Mapping[str, Any]

HOLDER = "dockyard-autoscaling"
"""The field manager that holds the number until the autoscaler sets it."""
AUTOSCALERS = frozenset({"HorizontalPodAutoscaler", "ScaledObject"})


def is_left_to_autoscaler(manifest: Json) -> bool:
    """Whether what is applied says nothing of the number of pods."""
    return manifest["kind"] == "Deployment" and "replicas" not in manifest["spec"]


def owns_replicas(live: Json) -> bool:
    """Whether the number is in what we applied last."""
    return any(
        one["manager"] == MANAGER and one["operation"] == "Apply" and "f:replicas" in one.get("fieldsV1", {}).get("f:spec", {})
        for one in live["metadata"].get("managedFields") or ()
    )


def takes_back(manifest: Json, live: Json | None) -> bool:
    """Whether an autoscaler of ours had the number, and is to have it no more."""
    if live is None or manifest["kind"] != "Deployment" or is_left_to_autoscaler(manifest):
        return False
    policy = read_policy(live["metadata"].get("annotations") or {})
    return policy is not None and policy.scaling is not None


def hold_replicas(manifest: Json, replicas: int) -> dict[str, Any]:
    """Return what holds the number of pods."""
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": {"name": manifest["metadata"]["name"], "namespace": manifest["metadata"]["namespace"]},
        "spec": {"replicas": replicas},
    }


def keep_replicas(manifest: Json, live: Json) -> dict[str, Any]:
    """Return a manifest with the number of pods that there are."""
    return {**manifest, "spec": {**manifest["spec"], "replicas": live["spec"]["replicas"]}}


def find_first_replicas(manifest: Json) -> int:
    """How many pods there are before the autoscaler has looked."""
    policy = read_policy(manifest["metadata"]["annotations"])
    return policy.scaling.min_replicas if policy and policy.scaling else 1
