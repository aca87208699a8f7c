"""What the objects of a cluster say in our words."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dockyard.adapters.k8s.compare import compare_objects
from dockyard.adapters.k8s.division import render_objects
from dockyard.adapters.k8s.looks import Found, describe_found, describe_pod
from dockyard.adapters.k8s.manifests import Manifest, render_manifests
from dockyard.domain.deployment import ProofFailure, RevisionStatus
from dockyard.domain.k8s import Difference, K8sPolicy, ObservedK8s
from dockyard.domain.k8s_rollout import Division, Traffic
from dockyard.domain.k8s_scaling import Autoscaling
from support.k8s_values import KEY, make_blueprint

Json = dict[str, Any]


def make_deployment(version: int, number: int, replicas: int = 2, **status: int) -> Manifest:
    item = render_manifests(make_blueprint(version, number), "models")[0]
    item["metadata"]["generation"] = 3
    counts = {"observedGeneration": 3, "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}
    return {**item, "status": {**counts, **status}}


def make_replica_set(
    version: int, number: int, order: int, *, replicas: int = 2, served: str = "", conditions: tuple[Json, ...] = ()
) -> Json:
    template = render_manifests(make_blueprint(version, number), "models")[0]["spec"]["template"]
    annotations = {"deployment.kubernetes.io/revision": str(order)}
    annotations |= {"dockyard.io/served-at": served} if served else {}
    name = f"wine-{order}"
    return {
        "metadata": {"name": name, "uid": name, "annotations": annotations, "creationTimestamp": f"2026-01-0{order}T00:00:00Z"},
        "spec": {"replicas": replicas, "template": template},
        "status": {"conditions": list(conditions)},
    }


def make_pod(
    owner: str, *, ready: bool = True, state: Json | None = None, last: Json | None = None, **metadata: object
) -> Json:
    conditions = [{"type": "Ready", "status": str(ready)}]
    container = {"state": state or {}, "lastState": last or {}, "restartCount": 1 if last else 0}
    named = {"name": f"{owner}-a", "ownerReferences": [{"uid": owner}], **metadata}
    return {"metadata": named, "status": {"conditions": conditions, "containerStatuses": [container]}}


def look(deployment: Json | None, *sets: Json, pods: tuple[Json, ...] = ()) -> ObservedK8s:
    found = Found(namespace="models", deployment=deployment, replica_sets=sets, pods=pods, objects=())
    return describe_found(KEY, found)


def test_nothing_is_an_empty_deployment() -> None:
    seen = describe_found(KEY, Found(namespace="models", deployment=None, replica_sets=(), pods=(), objects=()))
    assert (seen.exists, seen.serving, seen.current, seen.next_number, seen.is_settled) == (False, None, None, 1, False)


def test_replica_sets_are_revisions_and_the_proved_current_one_serves() -> None:
    old = make_replica_set(1, 1, 1, replicas=0, served="2026-01-01T00:00:00+00:00")
    new = make_replica_set(2, 2, 2, served="2026-01-02T00:00:00+00:00")
    seen = look(make_deployment(2, 2), new, old, pods=(make_pod("wine-2"),))
    assert [(one.number, one.status, one.has_served) for one in seen.revisions] == [
        (1, RevisionStatus.STOPPED, True),
        (2, RevisionStatus.READY, True),
    ]
    assert (seen.serving, seen.current, seen.is_settled, seen.next_number) == (2, 2, True, 3)
    assert seen.serving_since == "2026-01-02T00:00:00+00:00"
    first = seen.find_revision(1)
    assert first is not None
    assert (first.spec, first.image) == (make_blueprint(1).spec, make_blueprint(1).image)
    assert seen.policy == make_blueprint().policy


def deliver(deployment: Manifest, *managers: str) -> Manifest:
    """A Deployment whose pod template these field managers have applied."""
    fields: Json = {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:dockyard.io/revision": {}}}}}}
    status = {"manager": "kube-controller-manager", "fieldsV1": {"f:status": {}}}
    applied = [{"manager": one, "fieldsV1": fields} for one in managers]
    return {**deployment, "metadata": {**deployment["metadata"], "managedFields": [status, *applied]}}


def test_revision_that_another_tool_applied_serves_when_all_pods_are_of_it() -> None:
    seen = look(deliver(make_deployment(1, 1), "kustomize-controller"), make_replica_set(1, 1, 1), pods=(make_pod("wine-1"),))
    (revision,) = seen.revisions
    assert (seen.serving, seen.delivered_by, revision.has_served) == (1, "kustomize-controller", True)
    assert seen.capacity == "1 of 2 pods, 1Gi each, in models, applied by kustomize-controller"


def test_revision_that_another_tool_rolls_out_does_not_serve_while_another_does() -> None:
    on_its_way = deliver(make_deployment(2, 2, updatedReplicas=1), "helm")
    sets = (make_replica_set(1, 1, 1), make_replica_set(2, 2, 2, replicas=1))
    assert look(on_its_way, *sets, pods=(make_pod("wine-1"), make_pod("wine-2"))).serving == 1
    assert look(on_its_way, *sets, pods=(make_pod("wine-2"),)).serving == 2


def test_what_dockyard_applied_too_is_dockyards() -> None:
    seen = look(deliver(make_deployment(1, 1), "dockyard", "kustomize-controller"), make_replica_set(1, 1, 1))
    assert (seen.serving, seen.delivered_by) == (None, None)


def test_unproved_revision_does_not_serve_whatever_the_deployment_says() -> None:
    old = make_replica_set(1, 1, 1, served="2026-01-01T00:00:00+00:00")
    seen = look(make_deployment(2, 2, updatedReplicas=1), old, make_replica_set(2, 2, 2), pods=(make_pod("wine-1"),))
    assert (seen.serving, seen.current, seen.is_settled) == (1, 2, False)


def test_revision_of_two_replica_sets_is_one_and_was_proved_if_one_of_them_was() -> None:
    changed = make_replica_set(1, 1, 2)
    seen = look(make_deployment(1, 1), make_replica_set(1, 1, 1, replicas=0, served="2026-01-01"), changed)
    (revision,) = seen.revisions
    assert (revision.replica_set, revision.has_served, revision.created) == ("wine-2", True, "2026-01-01T00:00:00Z")


def test_replica_set_of_somebody_else_is_no_revision() -> None:
    foreign = make_replica_set(1, 1, 1)
    foreign["spec"]["template"]["metadata"] = {}
    foreign["metadata"]["annotations"] = {}
    assert look(make_deployment(1, 1), foreign).revisions == ()


@pytest.mark.parametrize("field", ["observedGeneration", "replicas", "updatedReplicas", "availableReplicas"])
def test_rollout_is_over_when_every_count_says_so(field: str) -> None:
    assert look(make_deployment(1, 1)).is_settled
    assert not look(make_deployment(1, 1, **{field: 1})).is_settled


@pytest.mark.parametrize(
    ("counts", "is_settled"),
    [
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
        ({"replicas": 4, "updatedReplicas": 4, "availableReplicas": 2}, True),
        ({"replicas": 4, "updatedReplicas": 4, "availableReplicas": 1}, False),
        ({"replicas": 4, "updatedReplicas": 3, "availableReplicas": 4}, False),
        ({"observedGeneration": 2}, False),
    ],
)
def test_rollout_is_over_though_an_autoscaler_wants_another_number(counts: dict[str, int], is_settled: bool) -> None:
    scaled = K8sPolicy(scaling=Autoscaling(min_replicas=2, max_replicas=5, cpu_percent=80))
    deployment = make_deployment(1, 1, **counts)
    deployment["metadata"]["annotations"] = render_manifests(make_blueprint(policy=scaled), "models")[0]["metadata"][
        "annotations"
    ]
    deployment["spec"]["replicas"] = 3
    assert look(deployment).is_settled is is_settled


def test_pods_that_are_about_to_end_and_those_of_others_do_not_count() -> None:
    ending = make_pod("wine-1", deletionTimestamp="now")
    seen = look(make_deployment(1, 1), make_replica_set(1, 1, 1), pods=(ending, make_pod("other")))
    (revision,) = seen.revisions
    assert (revision.pods, revision.status) == ((), RevisionStatus.STARTING)


def test_pod_that_crashes_over_and_over_makes_its_revision_failed() -> None:
    pod = make_pod("wine-1", ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})
    assert look(make_deployment(1, 1), make_replica_set(1, 1, 1), pods=(pod,)).revisions[0].status is RevisionStatus.FAILED


def test_refusal_is_that_of_the_replica_set() -> None:
    conditions = ({"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"},)
    assert (
        look(make_deployment(1, 1), make_replica_set(1, 1, 1, conditions=conditions)).revisions[0].refusal == "exceeded quota"
    )
    passed = ({"type": "ReplicaFailure", "status": "False", "message": "exceeded quota"},)
    assert look(make_deployment(1, 1), make_replica_set(1, 1, 1, conditions=passed)).revisions[0].refusal == ""


def test_pod_says_what_keeps_it() -> None:
    pending = {"metadata": {"name": "a"}, "status": {"conditions": [_unscheduled("0/1 nodes are available")]}}
    assert describe_pod(pending).unschedulable == "0/1 nodes are available"
    pulling = describe_pod(make_pod("w", ready=False, state={"waiting": {"reason": "ErrImagePull", "message": "no such"}}))
    assert (pulling.waiting_reason, pulling.waiting_message, pulling.exit_code) == ("ErrImagePull", "no such", None)
    killed = describe_pod(make_pod("w", ready=False, last={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}))
    assert (killed.exit_code, killed.end_reason, killed.restarts) == (137, "OOMKilled", 1)
    assert describe_pod({"metadata": {"name": "a"}}).is_ready is False
    assert [describe_pod(make_pod("w", ready=False, state={one: {}})).is_running for one in ("running", "waiting")] == [
        True,
        False,
    ]


@pytest.mark.parametrize(("code", "meaning"), [(3, ProofFailure.RAISES), (5, ProofFailure.DIFFERS), (1, None)])
def test_exit_code_of_the_scorer_tells_how_the_proof_went(code: int, meaning: ProofFailure | None) -> None:
    ended = {"terminated": {"exitCode": code, "reason": "Error"}}
    assert describe_pod(make_pod("w", ready=False, state=ended)).proof_failure is meaning


def _unscheduled(message: str) -> Json:
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}


def test_differences_are_fields_and_never_what_the_server_writes() -> None:
    before = {
        "metadata": {"name": "w", "resourceVersion": "1"},
        "spec": {"replicas": 3, "a": [1, {"b": 2}]},
        "status": {"x": 1},
    }
    after = {
        "metadata": {"name": "w", "resourceVersion": "2"},
        "spec": {"replicas": 2, "a": [1, {"b": 3}, 4]},
        "status": {"x": 2},
    }
    assert compare_objects("Deployment/w", before, after) == (
        Difference(what="Deployment/w spec.a[1].b", before="2", after="3"),
        Difference(what="Deployment/w spec.a[2]", before=None, after="4"),
        Difference(what="Deployment/w spec.replicas", before="3", after="2"),
    )
    assert compare_objects("Deployment/w", before, before) == ()


def test_who_manages_an_object_is_no_difference() -> None:
    before = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm", "a": "1"}}}
    after = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "dockyard", "a": "2"}}}
    (found,) = compare_objects("Service/w", before, after)
    assert found.what == "Service/w metadata.labels.a"


def test_values_of_variables_are_not_shown_as_differences() -> None:
    before = {"metadata": {}, "spec": {"containers": [{"env": [{"name": "A", "value": "s3cr3t-canary"}]}]}}
    after = {"metadata": {}, "spec": {"containers": [{"env": [{"name": "A", "value": "other"}, {"name": "B"}]}]}}
    found = compare_objects("Deployment/w", before, after)
    assert "s3cr3t-canary" not in str(found)
    assert [(one.what, one.before, one.after) for one in found] == [
        ("Deployment/w spec.containers[0].env[0].value", "***", "***"),
        ("Deployment/w spec.containers[0].env[1]", None, "***"),
    ]


def make_beside(status: Json | None = None) -> Json:
    """The Deployment of a candidate."""
    blueprint = dataclasses.replace(make_blueprint(2, 2, policy=K8sPolicy(replicas=1)), is_candidate=True)
    item = render_objects(blueprint, "models")[0]
    item["metadata"] |= {"generation": 1, "creationTimestamp": "2026-01-02T00:00:00Z"}
    return {**item, "status": status or {}}


def look_beside(beside: Json, *sets: Json, pods: tuple[Json, ...] = ()) -> ObservedK8s:
    own = make_deployment(1, 1)
    traffic = {"metadata": {"name": "wine", "annotations": {"dockyard.io/traffic": '{"by":"pods","percent":10}'}}}
    objects = (("Deployment", own), ("Deployment", beside), ("Service", traffic))
    stable = make_replica_set(1, 1, 1, served="2026-01-01T00:00:00+00:00")
    found = Found(namespace="models", deployment=own, replica_sets=(stable, *sets), pods=pods, objects=objects)
    return describe_found(KEY, found)


def test_candidate_is_told_by_its_deployment_until_its_replica_set_is_there() -> None:
    seen = look_beside(make_beside())
    assert seen.candidate is not None
    revision = seen.candidate.revision
    assert (revision.number, revision.status, revision.pods, seen.candidate.is_settled) == (
        2,
        RevisionStatus.STARTING,
        (),
        False,
    )
    assert ([one.number for one in seen.revisions], seen.serving, seen.next_number) == ([1], 1, 3)
    assert seen.traffic == Traffic(percent=10, by=Division.PODS)


def test_candidate_has_the_pods_of_its_own_replica_set() -> None:
    beside = make_beside({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1})
    labels = beside["spec"]["template"]["metadata"]["labels"]
    own = make_replica_set(2, 2, 3, replicas=1)
    own["metadata"]["labels"] = labels
    seen = look_beside(beside, own, pods=(make_pod("wine-3"), make_pod("wine-1")))
    assert seen.candidate is not None
    assert (seen.candidate.replicas, seen.candidate.is_settled) == (1, True)
    assert [pod.name for pod in seen.candidate.revision.pods] == ["wine-3-a"]
    assert [[pod.name for pod in one.pods] for one in seen.revisions] == [["wine-1-a"]]


def test_candidate_that_somebody_has_changed_beyond_recognition_is_none() -> None:
    beside = make_beside()
    del beside["spec"]["template"]["metadata"]["annotations"]
    assert look_beside(beside).candidate is None
