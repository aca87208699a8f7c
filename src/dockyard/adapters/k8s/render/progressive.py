"""Owns what Argo Rollouts and Flagger are told of a rollout: the shares and waits that `deploy k8s` goes by itself. Pure.

Whoever renders for them wants shares, so where no strategy is chosen the steps of the settings count as a canary's.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.adapters.k8s.manifests import Manifest, fill_template, open_templates
from dockyard.domain.errors import UsageError
from dockyard.domain.k8s_rollout import Gate, K8sRollout, K8sRolloutKind

_ALL = 100
_FLAGGER_LABEL = "app.kubernetes.io/name"
"""One of the labels by which Flagger tells the pods that it copies from those that serve."""
_LEAST_INTERVAL_SECONDS = 10
"""Flagger looks no oftener."""
_LEAST_DELAY_SECONDS = 30
"""Nodes need as long to hear that a Service has changed: Argo Rollouts keeps the old pods at least until then."""


def make_rollout(objects: tuple[Manifest, ...], rollout: K8sRollout) -> tuple[Manifest, ...]:
    """Return the objects with Argo Rollouts' Rollout instead of the Deployment. Raises UsageError `setting-invalid`."""
    _refuse_shadow(rollout, "Argo Rollouts")
    changed = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    found = []
    for item in objects:
        if item["kind"] == "Deployment":
            strategy = _choose_strategy(rollout, item["metadata"]["name"])
            found.append(item | changed | {"spec": item["spec"] | {"strategy": strategy}})
        else:
            target = item.get("spec", {}).get("scaleTargetRef")
            found.append(item | {"spec": item["spec"] | {"scaleTargetRef": target | changed}} if target else item)
    return tuple(found)


def make_canary(objects: tuple[Manifest, ...], rollout: K8sRollout) -> tuple[Manifest, ...]:
    """Return the objects with Flagger's Canary, which makes the Services itself. Raises UsageError `setting-invalid`."""
    _refuse_shadow(rollout, "Flagger")
    if rollout.pause:
        raise UsageError(
            "setting-invalid", "Flagger stands still only where a webhook says so", hint="leave `rollout.pause` out"
        )
    found = []
    for item in objects:
        if item["kind"] == "Deployment":
            metadata = {key: value for key, value in item["metadata"].items() if key != "annotations"}
            selector = {"matchLabels": {_FLAGGER_LABEL: metadata["name"]}}
            found.append(item | {"spec": item["spec"] | {"selector": selector}})
            found.append(_draw_canary(metadata, rollout))
        elif item["kind"] != "Service":
            found.append(item)
    return tuple(found)


def _refuse_shadow(rollout: K8sRollout, tool: str) -> None:
    if rollout.kind is K8sRolloutKind.SHADOW:
        raise UsageError(
            "setting-invalid",
            f"{tool} would bring a shadow into service when its time is over",
            hint="choose `canary` or `blue-green` in `rollout.kind`, or `deploy k8s`",
        )


def _choose_strategy(rollout: K8sRollout, service: str) -> Manifest:
    """What Argo Rollouts goes by."""
    if rollout.kind is K8sRolloutKind.BLUE_GREEN:
        delay = max(rollout.wait_seconds, _LEAST_DELAY_SECONDS)
        return {
            "blueGreen": {
                "activeService": service,
                "autoPromotionEnabled": not rollout.pause,
                "scaleDownDelaySeconds": delay,
                "maxUnavailable": 0,
            }
        }
    shares = rollout.steps[:1] if rollout.pause else rollout.steps
    wait: Manifest = {} if rollout.pause else {"duration": f"{rollout.wait_seconds}s"}
    pauses = [{"pause": wait}] if rollout.pause or rollout.wait_seconds else []
    steps = [step for share in shares for step in ({"setWeight": share}, *pauses)]
    return {"canary": {"maxUnavailable": 0, "maxSurge": 1, "steps": steps}}


def _draw_canary(metadata: Manifest, rollout: K8sRollout) -> Manifest:
    """What Flagger goes by: having come to its last share it brings the revision into service by itself."""
    shares = [] if rollout.kind is K8sRolloutKind.BLUE_GREEN else [share for share in rollout.steps if share < _ALL]
    seconds = max(rollout.wait_seconds, _LEAST_INTERVAL_SECONDS)
    metrics = list(_list_metrics(rollout.gate, seconds))
    values = {"metadata": metadata, "steps": shares, "seconds": seconds, "metrics": metrics}
    return fill_template(open_templates("gitops"), "canary", values)


def _list_metrics(gate: Gate, seconds: int) -> Iterator[Manifest]:
    """Those of the gate's limits that Flagger measures by itself, with no stable revision to compare with."""
    if gate.error_percent is not None:
        yield {
            "name": "request-success-rate",
            "interval": f"{seconds}s",
            "thresholdRange": {"min": _ALL - gate.error_percent},
        }
    if gate.latency_ms is not None:
        yield {"name": "request-duration", "interval": f"{seconds}s", "thresholdRange": {"max": gate.latency_ms}}
