"""The planner of Kubernetes: the cases of tests/cases/plan_k8s, and what holds for whatever is observed.

* each case file's plan, step by step
* two equal inputs give two equal plans
* nothing is left to plan after a plan is done (the second deploy changes nothing)
* undoing goes back to what serves, and nothing that serves is removed
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard.domain.deployment import RevisionStatus
from dockyard.domain.image import BuilderKind, ImageDigest
from dockyard.domain.k8s import Difference, K8sCandidate, K8sPolicy, K8sRevision, ObservedK8s, derive_endpoint
from dockyard.domain.k8s_exposure import HttpRoute
from dockyard.domain.k8s_rollout import Division, K8sRollout, K8sRolloutKind, Traffic
from dockyard.domain.k8s_scaling import Autoscaling
from dockyard.domain.k8s_steps import (
    ApplyManifests,
    CheckManifests,
    DropCandidate,
    RetireCandidate,
    SplitTraffic,
    StartCandidate,
)
from dockyard.domain.observed import DeploymentState, Observed
from dockyard.domain.phase import Phase
from dockyard.domain.plan import Plan, RemoveDeployment, RemoveRevision, WriteRecord
from dockyard.domain.record import DeploymentRecord, RecordStatus
from dockyard.planning.k8s import WantedK8s, draw_blueprint, plan_delete_k8s, plan_k8s
from support.k8s_values import KEY, REPOSITORY, make_image, make_revision, make_spec
from support.local_values import claim_revision

FOLDER = Path(__file__).parents[2] / "cases" / "plan_k8s"
CASES = [case for path in sorted(FOLDER.glob("*.yaml")) for case in yaml.safe_load(path.read_text(encoding="utf-8"))]


def make_wanted(case: dict[str, Any]) -> WantedK8s:
    return WantedK8s(
        spec=make_spec(case["model"], **case.get("settings", {})),
        builder=BuilderKind.DIRECT,
        builder_reason="because",
        alias=case.get("alias"),
        history_limit=case.get("history_limit", 5),
        policy=K8sPolicy(
            replicas=case.get("replicas", 2),
            exposure=HttpRoute(gateway="shared", hostnames=("models.test",)) if case.get("route") else None,
        ),
        repository=REPOSITORY,
        rollout=make_rollout(**case.get("rollout", {})),
        keeps_candidate=case.get("keeps_candidate", False),
    )


def make_rollout(kind: str = "rolling", steps: tuple[int, ...] = (10, 50, 100), **fields: bool | int) -> K8sRollout:
    return K8sRollout(kind=K8sRolloutKind(kind), steps=tuple(steps), **fields)  # type: ignore[arg-type]


def make_candidate(number: int, version: int, status: str) -> K8sCandidate:
    revision = make_revision(number, version, status, None)
    return K8sCandidate(revision=revision, replicas=1, is_settled=revision.status is RevisionStatus.READY)


def make_seen(case: dict[str, Any]) -> ObservedK8s:
    revisions = tuple(
        make_revision(number, version, status, f"2026-01-{day:02}T00:00:00+00:00" if day else None)
        for number, version, status, day in case.get("revisions", [])
    )
    proved = {one.number: one.served_at or "" for one in revisions if one.served_at}
    current = case.get("current")
    candidate = make_candidate(*case["candidate"]) if "candidate" in case else None
    percent, by = case.get("traffic", (0, "pods"))
    return ObservedK8s(
        key=KEY,
        revisions=revisions,
        serving=current if current in proved else max(proved, key=lambda number: proved[number], default=None),
        next_number=max([*(one.number for one in revisions), candidate.revision.number if candidate else 0]) + 1,
        objects=("Deployment/wine",) if revisions else (),
        current=current,
        is_settled=case.get("settled", False),
        policy=K8sPolicy() if revisions else None,
        candidate=candidate,
        traffic=Traffic(percent=percent, by=Division(by)) if percent else None,
        differences=tuple(Difference(what=a, before=b, after=c) for a, b, c in case.get("differences", [])),
    )


def make_observed(case: dict[str, Any], wanted: WantedK8s) -> Observed[ObservedK8s]:
    seen = make_seen(case)
    status = case.get("record")
    record = make_record(seen, wanted, RecordStatus(status)) if status else None
    image = make_image(int(wanted.spec.model.version or 0)) if case["image"] else None
    return Observed(deployment=seen, image=image, record=record, alias_version=case.get("alias_version"), taken_at="t")


def make_record(seen: ObservedK8s, wanted: WantedK8s, status: RecordStatus) -> DeploymentRecord:
    serves = status is RecordStatus.SERVING
    number = seen.serving if serves or seen.candidate is None else seen.candidate.revision.number
    return claim_revision(
        status,
        number,
        wanted.spec,
        image=ImageDigest(f"{REPOSITORY}@{make_image(int(wanted.spec.model.version or 0)).digest}"),
        endpoint=derive_endpoint(KEY, seen.namespace, wanted.policy) if serves else None,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_plan_of_case(case: dict[str, Any]) -> None:
    wanted = make_wanted(case["wanted"])
    plan = plan_k8s(KEY, wanted, make_observed(case["observed"], wanted))
    assert [step.describe() for step in plan.steps] == case["steps"]
    endpoint = case.get("endpoint", "http://wine.default.svc")
    assert (plan.revision, plan.previous, plan.endpoint) == (case["revision"], case["previous"], endpoint)
    assert plan.is_empty == (not case["steps"])
    if "changes" in case:
        assert [[one.what, one.before, one.after] for one in plan.changes] == case["changes"]


def test_first_plan_shows_what_is_set_only() -> None:
    wanted = make_wanted({"model": 1})
    changes = {one.what: one.after for one in plan_k8s(KEY, wanted, make_observed({"image": False}, wanted)).changes}
    assert (changes["cpu limit"], "memory" in changes) == ("2", False)
    assert "affinity" not in changes
    assert [name for name, value in changes.items() if not value] == []


def test_what_another_tool_delivered_is_not_recorded() -> None:
    wanted = make_wanted({"model": 1})
    case = {"image": False, "revisions": [[1, 1, "ready", 1]], "current": 1, "settled": True}
    observed = make_observed(case, wanted)
    delivered = dataclasses.replace(observed.deployment, delivered_by="kustomize-controller")
    assert [step.type for step in plan_k8s(KEY, wanted, observed).steps] == ["WriteRecord"]
    assert plan_k8s(KEY, wanted, dataclasses.replace(observed, deployment=delivered)).is_empty


revisions = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(list(RevisionStatus)), st.integers(0, 9)),
    max_size=5,
    unique_by=lambda one: one[0],
)


kinds = st.sampled_from(["rolling", "blue-green", "canary"])


@st.composite
def observations(draw: st.DrawFn) -> Observed[ObservedK8s]:
    there = [[number, version, status.value, day] for number, (version, status, day) in enumerate(draw(revisions), start=1)]
    case = {
        "image": draw(st.booleans()),
        "revisions": there,
        "current": draw(st.sampled_from([one[0] for one in there])) if there else None,
        "settled": draw(st.booleans()),
        **draw(st.sampled_from([{}, {"candidate": [6, 1, "ready"]}, {"candidate": [6, 9, "ready"]}])),
        **draw(st.sampled_from([{}, {"traffic": [10, "pods"]}, {"traffic": [100, "pods"]}])),
        "differences": draw(st.sampled_from([[], [["Service/wine", None, "there"]]])),
    }
    return make_observed(case, make_wanted({"model": 1}))


def reach(plan: Plan, wanted: WantedK8s, observed: Observed[ObservedK8s]) -> Observed[ObservedK8s]:
    """What is observed after every step of a plan is done."""
    gone = {step.number for step in plan.steps if isinstance(step, RemoveRevision)}
    assert plan.revision is not None
    retired = {step.number for step in plan.steps if isinstance(step, RetireCandidate | DropCandidate)}
    candidate = observed.deployment.candidate
    assert candidate is None or candidate.revision.number in retired
    assert {step.number for step in plan.steps if isinstance(step, StartCandidate)} <= retired
    there = observed.deployment.find_revision(plan.revision)
    kept = [one for one in observed.deployment.revisions if one.number not in gone and one.number != plan.revision]
    proved: K8sRevision = dataclasses.replace(
        there or make_revision(plan.revision, 1, served=None),
        status=RevisionStatus.READY,
        has_served=True,
        served_at="2026-02-01T00:00:00+00:00",
    )
    seen = ObservedK8s(
        key=KEY,
        revisions=tuple(sorted([*kept, proved], key=lambda one: one.number)),
        serving=plan.revision,
        objects=("Deployment/wine",),
        current=plan.revision,
        is_settled=True,
        policy=wanted.policy,
    )
    record = make_record(seen, wanted, RecordStatus.SERVING)
    return Observed(deployment=seen, image=make_image(1), record=record, alias_version=None, taken_at="t")


@settings(deadline=None)
@given(observations(), st.integers(1, 5), kinds)
def test_nothing_is_left_to_plan_after_a_plan_is_done(observed: Observed[ObservedK8s], history_limit: int, kind: str) -> None:
    wanted = make_wanted({"model": 1, "history_limit": history_limit, "rollout": {"kind": kind}})
    plan = plan_k8s(KEY, wanted, observed)
    assert plan == plan_k8s(KEY, wanted, observed)
    assert plan_k8s(KEY, wanted, reach(plan, wanted, observed)).is_empty


@settings(deadline=None)
@given(observations(), kinds)
def test_undoing_goes_back_to_what_serves_and_that_is_never_removed(observed: Observed[ObservedK8s], kind: str) -> None:
    plan = plan_k8s(KEY, make_wanted({"model": 1, "rollout": {"kind": kind}}), observed)
    phases = [step.phase for step in plan.steps if not isinstance(step, CheckManifests)]
    assert phases.index(Phase.SETTLE) == len(phases) - sum(phase is Phase.SETTLE for phase in phases) if phases else True
    removed = {step.number for step in plan.steps if isinstance(step, RemoveRevision)}
    assert plan.revision not in removed
    applied = [step for step in plan.steps if isinstance(step, ApplyManifests)]
    seen = observed.deployment
    unnoted = seen.current if seen.is_settled and seen.current != plan.revision else None
    before = seen.serving if seen.serving is not None else unnoted
    assert [step.previous for step in applied] == [before] * len(applied)


def test_blueprint_is_that_of_the_revision_that_is_there() -> None:
    seen = make_seen({"revisions": [[1, 1, "ready", 1], [2, 2, "ready", 2]], "current": 2})
    blueprint = draw_blueprint(KEY, make_wanted({"model": 1, "replicas": 4}), seen)
    assert blueprint is not None
    assert (blueprint.number, blueprint.image) == (1, f"{REPOSITORY}@sha256:image1")
    assert blueprint.policy.replicas == 4
    assert draw_blueprint(KEY, make_wanted({"model": 3}), seen) is None


def test_deleting_is_recorded_on_what_served() -> None:
    seen = make_seen({"revisions": [[1, 1, "ready", 1]], "current": 1})
    plan = plan_delete_k8s(seen, taken_at="t")
    assert plan.steps == (
        RemoveDeployment(key=KEY),
        WriteRecord(key=KEY, status=RecordStatus.DELETED, number=1),
    )
    unproved = make_seen({"revisions": [[1, 1, "failed", None]], "current": 1})
    assert plan_delete_k8s(unproved, taken_at="t").steps == (RemoveDeployment(key=KEY),)


def test_deployment_says_how_it_is() -> None:
    empty = make_seen({})
    assert (empty.exists, empty.endpoint_name, empty.state, empty.capacity) == (False, None, DeploymentState.EMPTY, None)
    serving = make_seen({"revisions": [[1, 1, "ready", 1]], "current": 1, "settled": True})
    assert (serving.exists, serving.endpoint_name) == (True, "http://wine.default.svc")
    assert (serving.state, serving.capacity) == (DeploymentState.SERVING, "1 of 2 pods, 1Gi each, in default")
    assert dataclasses.replace(serving, policy=None).capacity == "1 of 1 pods, 1Gi each, in default"
    moving = make_seen({"revisions": [[1, 1, "ready", 1], [2, 2, "starting", None]], "current": 2})
    assert (moving.state, moving.serving) == (DeploymentState.UPDATING, 1)
    down = make_seen({"revisions": [[1, 1, "failed", 1]], "current": 1})
    assert down.state is DeploymentState.DOWN


@settings(deadline=None)
@given(observations(), kinds)
def test_no_share_is_given_before_the_candidate_was_started_and_asked(observed: Observed[ObservedK8s], kind: str) -> None:
    plan = plan_k8s(KEY, make_wanted({"model": 1, "rollout": {"kind": kind}}), observed)
    types = [step.type for step in plan.steps]
    for number, step in enumerate(plan.steps):
        if isinstance(step, SplitTraffic):
            assert [types.index(one) < number for one in ("StartCandidate", "WaitRollout", "SmokeTest")] == [True] * 3
    if "StartCandidate" in types:
        assert types.index("StartCandidate") < types.index("ApplyManifests") < types.index("RetireCandidate")


def test_deployment_says_what_stands_beside() -> None:
    case = {"revisions": [[1, 1, "ready", 1]], "current": 1, "settled": True, "candidate": [2, 2, "ready"]}
    beside = make_seen({**case, "traffic": [10, "pods"]})
    assert (beside.state, beside.trial_number, [one.number for one in beside.all_revisions]) == (
        DeploymentState.UPDATING,
        2,
        [1, 2],
    )
    assert str(beside.capacity).endswith("in default; revision 2 gets about 33 % of the requests (1 of 3 pods)")
    assert str(make_seen({**case, "traffic": [20, "mirror"]}).capacity).endswith("gets copies of 20 % of the requests")
    assert str(make_seen({**case, "traffic": [20, "route"]}).capacity).endswith("gets 20 % of the requests")
    assert str(make_seen(case).capacity).endswith("gets no requests yet")
    assert (beside.has_settled(1), beside.has_settled(2), beside.has_settled(3)) == (True, True, False)
    running = [beside.find_running(number) for number in (1, 2)]
    assert [one.number for one in running if one] == [1, 2]
    arrived = make_seen({**case, "revisions": [[1, 1, "stopped", 1], [2, 2, "ready", 2]], "current": 2})
    assert (arrived.trial_number, [one.number for one in arrived.all_revisions]) == (None, [1, 2])
    assert make_seen({}).trial_number is None
    scaled = K8sPolicy(scaling=Autoscaling(min_replicas=1, max_replicas=9, cpu_percent=70))
    assert dataclasses.replace(beside, policy=scaled).stable_pods == 1
    assert dataclasses.replace(make_seen({}), policy=scaled).stable_pods == 1
