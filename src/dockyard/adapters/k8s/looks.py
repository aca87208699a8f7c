"""Owns what objects of a cluster say in our words: ReplicaSets are revisions, and their pods tell how these are. Pure.

What another tool has delivered, as GitOps tools do, has no note of a proof: there a revision serves when all pods are of it and
ready, for each pod proves itself before it is.

A number may have more than one ReplicaSet, where a template was changed by hand or by another version of Dockyard: the newest
counts, and that one of them was proved counts for all. Annotations say what a revision is, not the fields that may be changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockyard.adapters.k8s.labels import (
    CANDIDATE,
    MANAGER,
    REVISION,
    SERVED_AT,
    read_footprint,
    read_policy,
    read_revision,
    read_traffic,
)
from dockyard.adapters.k8s.routes import explain_route
from dockyard.domain.deployment import DeploymentKey, ProofFailure, RevisionStatus
from dockyard.domain.k8s import K8sCandidate, K8sPod, K8sRevision, ObservedK8s
from dockyard.domain.k8s_rollout import Traffic
from dockyard.domain.k8s_scaling import Autoscaling
from dockyard_scorer.errors import EXIT_DIFFERS, EXIT_PROOF_FAILED

Json = Mapping[str, Any]

_ORDER = "deployment.kubernetes.io/revision"
_CRASHES = "CrashLoopBackOff"
_PROOF_FAILURES = {EXIT_PROOF_FAILED: ProofFailure.RAISES, EXIT_DIFFERS: ProofFailure.DIFFERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the cluster has of a deployment."""

    namespace: str
    deployment: Json | None
    replica_sets: tuple[Json, ...]
    """A candidate's as well."""
    pods: tuple[Json, ...]
    objects: tuple[tuple[str, Json], ...]
    """With their kinds."""


def describe_found(key: DeploymentKey, found: Found) -> ObservedK8s:
    """Return how a deployment is."""
    deliverer = _find_deliverer(found.deployment) if found.deployment else None
    own = drop_candidates(found.replica_sets)
    revisions = tuple(_list_revisions(own, found.pods, is_delivered=deliverer is not None))
    candidate = _describe_candidate(found)
    numbers = [one.number for one in revisions] + ([candidate.revision.number] if candidate else [])
    current = _find_current(found.deployment)
    policy = read_policy(_annotations(found.deployment)) if found.deployment else None
    is_settled = found.deployment is not None and _is_settled(found.deployment, policy.scaling if policy else None)
    serving = _find_delivered(revisions, current, is_settled=is_settled) if deliverer else _find_serving(revisions, current)
    served_at = next((one.served_at for one in revisions if one.number == serving), None)
    return ObservedK8s(
        key=key,
        revisions=revisions,
        serving=serving,
        serving_since=served_at,
        next_number=max((*numbers, _count_templates(found.deployment)), default=0) + 1,
        namespace=found.namespace,
        objects=tuple(f"{kind}/{item['metadata']['name']}" for kind, item in found.objects),
        current=current,
        is_settled=is_settled,
        policy=policy,
        candidate=candidate,
        traffic=_find_traffic(found),
        route_problem=explain_route(next((item for kind, item in found.objects if kind == "HTTPRoute"), None)),
        delivered_by=deliverer,
    )


def is_of_candidate(item: Json) -> bool:
    """Whether an object is a candidate's."""
    return CANDIDATE in (item["metadata"].get("labels") or {})


def drop_candidates(items: Iterable[Json]) -> tuple[Json, ...]:
    """The objects that are the deployment's own."""
    return tuple(one for one in items if not is_of_candidate(one))


def group_replica_sets(replica_sets: Iterable[Json]) -> dict[int, list[Json]]:
    """ReplicaSets by the number of their revision, the newest first."""
    groups: dict[int, list[Json]] = {}
    for one in sorted(replica_sets, key=_read_order, reverse=True):
        known = read_revision(_template_annotations(one))
        if known is not None:
            groups.setdefault(known[0], []).append(one)
    return groups


def describe_pod(pod: Json) -> K8sPod:
    """Return how a pod is."""
    status = pod.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or []}
    container: Json = next(iter(status.get("containerStatuses") or []), {})
    state = container.get("state") or {}
    ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
    waiting = state.get("waiting") or {}
    scheduled = conditions.get("PodScheduled") or {}
    return K8sPod(
        name=pod["metadata"]["name"],
        is_ready=(conditions.get("Ready") or {}).get("status") == "True",
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else "",
        waiting_reason=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        is_running="running" in state,
        exit_code=ended.get("exitCode"),
        end_reason=ended.get("reason", ""),
        proof_failure=_PROOF_FAILURES.get(ended.get("exitCode", 0)),
        restarts=int(container.get("restartCount") or 0),
    )


def list_owned(pods: Iterable[Json], owner: Json) -> Iterator[Json]:
    """The pods of a ReplicaSet that are not about to end."""
    for pod in pods:
        owners = pod["metadata"].get("ownerReferences") or []
        is_owned = any(one.get("uid") == owner["metadata"]["uid"] for one in owners)
        if is_owned and "deletionTimestamp" not in pod["metadata"]:
            yield pod


def _describe_candidate(found: Found) -> K8sCandidate | None:
    deployment = next((one for kind, one in found.objects if kind == "Deployment" and is_of_candidate(one)), None)
    known = read_revision(_template_annotations(deployment)) if deployment else None
    if deployment is None or known is None:
        return None
    number, spec, image = known
    own = [one for one in found.replica_sets if is_of_candidate(one)]
    begun = K8sRevision(
        number=number,
        spec=spec,
        image=image,
        status=RevisionStatus.STARTING,
        has_served=False,
        created=deployment["metadata"].get("creationTimestamp", ""),
        footprint=read_footprint(_template_annotations(deployment)),
        replica_set="",  # it is made a moment later
    )
    revision = next((one for one in _list_revisions(own, found.pods) if one.number == number), begun)
    return K8sCandidate(revision=revision, replicas=deployment["spec"]["replicas"], is_settled=_is_settled(deployment))


def _find_traffic(found: Found) -> Traffic | None:
    """What of the requests goes to a candidate, as the objects say that divide them."""
    return next((traffic for _, one in found.objects if (traffic := read_traffic(_annotations(one))) is not None), None)


def _find_deliverer(deployment: Json) -> str | None:
    """The field manager that wrote which revision a Deployment is of, unless that was Dockyard, or nobody is known."""
    path = ("spec", "template", "metadata", "annotations", REVISION)
    managers = [
        one.get("manager", "") for one in deployment["metadata"].get("managedFields") or [] if _owns(one.get("fieldsV1"), path)
    ]
    return None if MANAGER in managers else next(iter(sorted(managers)), None)


def _owns(fields: object, path: tuple[str, ...]) -> bool:
    for name in path:
        fields = fields.get(f"f:{name}") if isinstance(fields, Mapping) else None
    return fields is not None


def _list_revisions(
    replica_sets: Iterable[Json], every_pod: Iterable[Json], *, is_delivered: bool = False
) -> Iterator[K8sRevision]:
    for _, group in sorted(group_replica_sets(replica_sets).items()):
        known = read_revision(_template_annotations(group[0]))
        if known is None:
            continue
        number, spec, image = known
        pods = tuple(describe_pod(pod) for one in group for pod in list_owned(every_pod, one))
        served_at = max((_annotations(one).get(SERVED_AT, "") for one in group), default="")
        yield K8sRevision(
            number=number,
            spec=spec,
            image=image,
            status=_find_status(group, pods),
            has_served=bool(served_at) or is_delivered,
            created=group[-1]["metadata"]["creationTimestamp"],
            replica_set=group[0]["metadata"]["name"],
            footprint=read_footprint(_template_annotations(group[0])),
            pods=pods,
            served_at=served_at or None,
            refusal=_find_refusal(group[0]),
        )


def _find_status(group: list[Json], pods: tuple[K8sPod, ...]) -> RevisionStatus:
    if not any((one["spec"].get("replicas") or 0) for one in group):
        return RevisionStatus.STOPPED
    if any(pod.is_ready for pod in pods):
        return RevisionStatus.READY
    return RevisionStatus.FAILED if any(pod.waiting_reason == _CRASHES for pod in pods) else RevisionStatus.STARTING


def _find_refusal(replica_set: Json) -> str:
    for one in (replica_set.get("status") or {}).get("conditions") or []:
        if one["type"] == "ReplicaFailure" and one["status"] == "True":
            return str(one.get("message") or one.get("reason") or "")
    return ""


def _find_current(deployment: Json | None) -> int | None:
    text = _template_annotations(deployment).get(REVISION, "") if deployment else ""
    return int(text) if text.isdecimal() else None


def _count_templates(deployment: Json | None) -> int:
    """How many templates a Deployment has had, which is never less than the number of a revision that has gone."""
    return _read_order(deployment) if deployment else 0


def _find_serving(revisions: tuple[K8sRevision, ...], current: int | None) -> int | None:
    """The current revision where it was proved, else the one that was proved last."""
    proved = {one.number: one.served_at for one in revisions if one.served_at}
    if current in proved:
        return current
    return max(proved, key=lambda number: proved[number] or "", default=None)


def _find_delivered(revisions: tuple[K8sRevision, ...], current: int | None, *, is_settled: bool) -> int | None:
    """The current revision once all pods are of it, and until then the newest other one that still has pods that are ready."""
    ready = [one.number for one in revisions if any(pod.is_ready for pod in one.pods)]
    others = [number for number in ready if number != current]
    return current if is_settled or not others else max(others)


def _is_settled(deployment: Json, scaling: Autoscaling | None = None) -> bool:
    """Whether all pods are of the newest template, and available; an autoscaler may want another number at any moment."""
    wanted, status = deployment["spec"].get("replicas", 1), deployment.get("status") or {}
    total, updated, available = (status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas"))
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return False
    if scaling is not None:
        return bool(total == updated and available >= min(wanted, scaling.min_replicas))
    return bool(total == updated == available == wanted)


def _annotations(item: Json) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def _template_annotations(item: Json) -> Mapping[str, str]:
    return item["spec"]["template"]["metadata"].get("annotations") or {}


def _read_order(replica_set: Json) -> int:
    text = _annotations(replica_set).get(_ORDER, "")
    return int(text) if text.isdecimal() else 0
