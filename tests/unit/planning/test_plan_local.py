"""The planner of the local target: the cases of tests/cases/plan_local, and what holds for whatever is observed.

* each case file's plan, step by step
* two equal inputs give two equal plans
* applying a plan's end state leaves nothing to plan (the second deploy changes nothing)
* the serving revision is never stopped, and never touched before the traffic has moved
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dockyard.domain.deployment import LocalRevision, RevisionStatus, endpoint_url
from dockyard.domain.errors import NotFoundError
from dockyard.domain.image import BuilderKind, ImageDigest
from dockyard.domain.observed import Observed, ObservedLocal
from dockyard.domain.phase import Phase
from dockyard.domain.plan import Plan, RemoveRevision, ShiftTraffic, StopRevision
from dockyard.domain.record import DeploymentRecord, RecordStatus
from dockyard.planning.local import WantedLocal, plan_delete, plan_local
from dockyard.planning.revisions import choose_rollback
from support.local_values import KEY, claim_revision, make_image, make_revision, make_spec

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "plan_local" / "deploy.yaml").read_text(encoding="utf-8"))


def make_wanted(case: dict[str, Any]) -> WantedLocal:
    return WantedLocal(
        spec=make_spec(case["model"], **case.get("settings", {})),
        builder=BuilderKind.DIRECT,
        builder_reason="because",
        port=case.get("port"),
        alias=case.get("alias"),
        history_limit=case.get("history_limit", 5),
    )


def make_observed(case: dict[str, Any], wanted: WantedLocal) -> Observed[ObservedLocal]:
    revisions = tuple(make_revision(n, v, status, has_served=served) for n, v, status, served in case.get("revisions", []))
    version = int(wanted.spec.model.version or 0)
    local = ObservedLocal(
        key=KEY,
        revisions=revisions,
        serving=case.get("serving"),
        port=case.get("port"),
        is_forwarding=case.get("forwarding", False),
        next_number=case.get("next", len(revisions) + 1),
        free_port=8080,
    )
    image = make_image(version) if case["image"] else None
    status = case.get("record")
    record = make_record(local, wanted, RecordStatus(status), image.digest if image else None) if status else None
    return Observed(deployment=local, image=image, record=record, alias_version=case.get("alias_version"), taken_at="t")


def make_record(local: ObservedLocal, wanted: WantedLocal, status: RecordStatus, image: ImageDigest | None) -> DeploymentRecord:
    return claim_revision(status, local.serving, wanted.spec, image=image, endpoint=endpoint_url(local.port or 0))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_plan_of_case(case: dict[str, Any]) -> None:
    wanted = make_wanted(case["wanted"])
    plan = plan_local(KEY, wanted, make_observed(case["observed"], wanted))
    assert [step.describe() for step in plan.steps] == case["steps"]
    assert (plan.revision, plan.previous, plan.endpoint) == (case["revision"], case["previous"], endpoint_url(case["port"]))
    assert plan.is_empty == (not case["steps"])


revisions = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(list(RevisionStatus)), st.booleans()), max_size=5).map(
    lambda items: tuple(make_revision(n + 1, v, s.value, has_served=b) for n, (v, s, b) in enumerate(items))
)


@st.composite
def observations(draw: st.DrawFn) -> Observed[ObservedLocal]:
    there: tuple[LocalRevision, ...] = draw(revisions)
    served = [one.number for one in there if one.has_served]
    serving = draw(st.sampled_from([None, *served]))
    local = ObservedLocal(
        key=KEY,
        revisions=there,
        serving=serving,
        port=draw(st.sampled_from([None, 8080, 9090])) if serving is None else 8080,
        is_forwarding=draw(st.booleans()),
        next_number=len(there) + 1,
        free_port=8081,
    )
    return Observed(
        deployment=local, image=draw(st.sampled_from([None, make_image(1)])), record=None, alias_version=None, taken_at="t"
    )


def read_port(plan: Plan) -> int:
    return int((plan.endpoint or "").rpartition(":")[2])


def reach(plan: Plan, wanted: WantedLocal, observed: Observed[ObservedLocal]) -> Observed[ObservedLocal]:
    """What is observed after every step of a plan is done."""
    gone = {step.number for step in plan.steps if isinstance(step, RemoveRevision)}
    stopped = {step.number for step in plan.steps if isinstance(step, StopRevision)}
    assert plan.revision is not None
    kept = [
        make_revision(one.number, int(one.spec.model.version or 0), "stopped" if one.number in stopped else one.status.value)
        for one in observed.deployment.revisions
        if one.number not in gone and one.number != plan.revision
    ]
    serving = make_revision(plan.revision, int(wanted.spec.model.version or 0))
    local = ObservedLocal(
        key=KEY,
        revisions=tuple(sorted([*kept, serving], key=lambda one: one.number)),
        serving=plan.revision,
        port=read_port(plan),
        is_forwarding=True,
        next_number=max(plan.revision + 1, observed.deployment.next_number),
    )
    image = make_image(int(wanted.spec.model.version or 0))
    record = make_record(local, wanted, RecordStatus.SERVING, image.digest)
    return Observed(deployment=local, image=image, record=record, alias_version=None, taken_at="t")


@given(observations(), st.integers(1, 5))
def test_nothing_is_left_to_plan_after_a_plan_is_done(observed: Observed[ObservedLocal], history_limit: int) -> None:
    wanted = make_wanted({"model": 1, "history_limit": history_limit})
    plan = plan_local(KEY, wanted, observed)
    assert plan == plan_local(KEY, wanted, observed)
    assert plan_local(KEY, wanted, reach(plan, wanted, observed)).is_empty


@given(observations())
def test_what_serves_is_left_alone_until_the_traffic_has_moved(observed: Observed[ObservedLocal]) -> None:
    plan = plan_local(KEY, make_wanted({"model": 1}), observed)
    phases = [step.phase for step in plan.steps]
    assert phases == sorted(phases, key=[Phase.PREPARE, Phase.COMMIT, Phase.SETTLE].index)
    touched = {step.number for step in plan.steps if isinstance(step, StopRevision | RemoveRevision)}
    assert plan.revision not in touched
    if observed.deployment.serving != plan.revision:
        assert any(isinstance(step, ShiftTraffic) for step in plan.steps)


def test_environment_variables_are_shown_as_changed_but_never_their_values() -> None:
    wanted = make_wanted({"model": 1, "settings": {"env": (("TOKEN", "s3cr3t-canary"),)}})
    plan = plan_local(KEY, wanted, make_observed({"image": True}, wanted))
    change = next(one for one in plan.changes if one.what == "env TOKEN")
    assert change.after is not None
    assert change.after.startswith("***")
    assert "s3cr3t-canary" not in str(plan.changes)


def test_changes_of_a_new_version_name_what_was_and_what_will_be() -> None:
    wanted = make_wanted({"model": 2})
    observed = make_observed(
        {"image": True, "revisions": [[1, 1, "failed", True]], "serving": 1, "port": 8080, "forwarding": False}, wanted
    )
    changes = {one.what: (one.before, one.after) for one in plan_local(KEY, wanted, observed).changes}
    assert changes["model"] == ("wine v1", "wine v2")
    assert changes["revision"] == ("1", "2")
    assert changes["condition"] == ("failed", "ready")
    assert changes["forwarder"] == ("not running", "running")
    assert "port" not in changes


def test_delete_closes_the_port_before_anything_is_removed() -> None:
    local = ObservedLocal(key=KEY, revisions=(make_revision(1, 1),), serving=1, port=8080, is_forwarding=True)
    steps = plan_delete(local, taken_at="t").steps
    assert [step.describe() for step in steps] == [
        "close port 8080",
        "remove deployment prod/wine",
        "write the record `dockyard.prod.wine`: deleted",
    ]


def test_delete_of_what_never_served_writes_no_record() -> None:
    local = ObservedLocal(key=KEY, revisions=(make_revision(1, 1, "failed", has_served=False),))
    assert [step.type for step in plan_delete(local, taken_at="t").steps] == ["RemoveDeployment"]


@pytest.mark.parametrize(
    ("serving", "asked", "chosen"),
    [(3, None, 2), (3, 1, 1), (2, None, 1), (1, 3, 3), (None, None, 3)],
)
def test_rollback_takes_the_revision_asked_for_or_the_newest_below(serving: int | None, asked: int | None, chosen: int) -> None:
    local = ObservedLocal(key=KEY, revisions=tuple(make_revision(n, n) for n in (1, 2, 3)), serving=serving)
    assert choose_rollback(local, asked).number == chosen


@pytest.mark.parametrize(("serving", "asked"), [(1, None), (2, 2), (2, 7)])
def test_rollback_to_what_is_not_there_is_an_error_that_says_what_is(serving: int, asked: int | None) -> None:
    local = ObservedLocal(key=KEY, revisions=(make_revision(1, 1), make_revision(2, 2)), serving=serving)
    with pytest.raises(NotFoundError) as caught:
        choose_rollback(local, asked)
    assert caught.value.code == "no-revision"
    assert caught.value.hint is not None
    assert "it can go back to" in caught.value.hint


def test_rollback_of_a_lone_revision_says_that_there_is_none() -> None:
    local = ObservedLocal(key=KEY, revisions=(make_revision(1, 1), make_revision(2, 2, has_served=False)), serving=1)
    with pytest.raises(NotFoundError, match="no earlier revision") as caught:
        choose_rollback(local, None)
    assert "there is none" in (caught.value.hint or "")
