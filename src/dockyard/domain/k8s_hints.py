"""Owns what to do about what a Kubernetes cluster says when it refuses an object or makes no pod."""

from __future__ import annotations

QUOTA_WORDS = "exceeded quota"


def explain_refused_pod(message: str) -> tuple[str, str]:
    """Return code and hint for a cluster's words."""
    if QUOTA_WORDS in message:
        return "quota-exceeded", "`kubectl describe quota` tells what is left; `cpu`, `memory` and `replicas` what is asked for"
    return "admission-refused", "the rule is the cluster's; its administrators know what it wants"
