"""The planner of SageMaker: the cases of tests/cases/plan_sagemaker, and what holds for whatever is observed.

* each case file's plan, step by step
* two equal inputs give two equal plans
* applying a plan's end state leaves nothing to plan (the second deploy changes nothing)
* what the endpoint is to be at is never deleted, and nothing is deleted before it is
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dockyard.domain.errors import ConflictError
from dockyard.domain.image import BuilderKind
from dockyard.domain.observed import DeploymentState, Observed
from dockyard.domain.phase import Phase
from dockyard.domain.plan import Plan
from dockyard.domain.record import DeploymentRecord, RecordStatus
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Endpoint,
    EndpointStatus,
    ModelDelivery,
    ObservedSageMaker,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    SageMakerRevision,
    Scaling,
)
from dockyard.domain.sagemaker_package import PackagePolicy, RevisionPackage
from dockyard.domain.sagemaker_steps import DeleteRevision, RegisterPackage
from dockyard.planning.sagemaker import WantedSageMaker, clean_up_idle, plan_delete_sagemaker, plan_sagemaker
from support.local_values import claim_revision
from support.sagemaker_values import ACCOUNT, ENDPOINT, KEY, REPOSITORY, make_image, make_revision, make_spec, name_revision

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "plan_sagemaker" / "deploy.yaml").read_text(encoding="utf-8"))


def make_policy(values: dict[str, Any]) -> SageMakerPolicy:
    rollout = dict(values.get("rollout", {}))
    if "kind" in rollout:
        rollout["kind"] = RolloutKind(rollout["kind"])
    return SageMakerPolicy(
        rollout=Rollout(**rollout),
        alarms=AlarmPolicy(**values["alarms"]) if "alarms" in values else None,
        scaling=Scaling(**values["scaling"]) if "scaling" in values else None,
        package=PackagePolicy(group=values["group"]) if "group" in values else None,
        wait=values.get("wait", True),
        timeout_seconds=values.get("timeout_seconds", 3600),
    )


def make_wanted(case: dict[str, Any]) -> WantedSageMaker:
    settings = dict(case.get("settings", {}))
    if "delivery" in settings:
        settings["delivery"] = ModelDelivery(settings["delivery"])
    return WantedSageMaker(
        spec=make_spec(case["model"], **settings),
        builder=BuilderKind.DIRECT,
        builder_reason="because",
        alias=case.get("alias"),
        history_limit=case.get("history_limit", 5),
        policy=make_policy(case.get("policy", {})),
    )


def make_endpoint(status: str, version: int, pending: int | None = None, owner: str | None = str(KEY)) -> Endpoint:
    return Endpoint(
        name=ENDPOINT,
        status=EndpointStatus(status),
        config=name_revision(make_spec(version)),
        pending_config=name_revision(make_spec(pending)) if pending else None,
        owner=owner,
    )


def make_package(number: int, group: str, *, is_there: bool = True) -> RevisionPackage:
    arn = f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{group}/{number}"
    return RevisionPackage(group=group, arn=arn if is_there else None)


def make_seen(case: dict[str, Any]) -> ObservedSageMaker:
    revisions = tuple(
        make_revision(
            number, make_spec(model), has_served=served, has_model="model" not in missing, has_config="config" not in missing
        )
        for number, model, served, *rest in case.get("revisions", [])
        for missing in [rest[0] if rest else []]
    )
    packages = {number: make_package(number, *place) for number, *place in case.get("packages", [])}
    revisions = tuple(dataclasses.replace(one, package=packages.get(one.number)) for one in revisions)
    endpoint = make_endpoint(*case["endpoint"]) if "endpoint" in case else None
    serving = endpoint.serving_config if endpoint else None
    has_supplies = case.get("supplies", True)
    return ObservedSageMaker(
        key=KEY,
        account=ACCOUNT,
        revisions=revisions,
        serving=next((one.number for one in revisions if one.name == serving), None),
        next_number=max((one.number for one in revisions), default=0) + 1,
        endpoint=endpoint,
        repository=REPOSITORY if case.get("repository", has_supplies) else None,
        has_own_role=case.get("role", has_supplies),
        alarms=AlarmPolicy(**case["alarms"]) if "alarms" in case else None,
        scaling=Scaling(**case["scaling"]) if "scaling" in case else None,
    )


def make_record(number: int | None, wanted: WantedSageMaker, status: RecordStatus) -> DeploymentRecord:
    return claim_revision(
        status,
        number,
        wanted.spec,
        image=f"{REPOSITORY}@{make_image(int(wanted.spec.model.version or 0)).digest}",
        endpoint=ENDPOINT if status is RecordStatus.SERVING else None,
    )


def make_observed(case: dict[str, Any], wanted: WantedSageMaker) -> Observed[ObservedSageMaker]:
    seen = make_seen(case)
    revision = seen.find_named(name_revision(wanted.spec))
    status = case.get("record")
    package = make_package(*case["recorded_package"]).arn if "recorded_package" in case else None
    record = make_record(revision.number if revision else None, wanted, RecordStatus(status)) if status else None
    return Observed(
        deployment=seen,
        image=make_image(int(wanted.spec.model.version or 0)) if case.get("image") else None,
        record=dataclasses.replace(record, model_package=package) if record else None,
        alias_version=case.get("alias_version"),
        taken_at="t",
    )


def fill_in(text: str, case: dict[str, Any]) -> str:
    """Names of revisions in the place of their versions."""
    wanted = make_wanted(case["wanted"]).spec
    for version in range(1, 6):
        spec = wanted if str(version) == wanted.model.version else make_spec(version)
        text = text.replace(f"{{{version}}}", name_revision(spec))
    return text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_plan_of_case(case: dict[str, Any]) -> None:
    wanted = make_wanted(case["wanted"])
    plan = plan_sagemaker(KEY, wanted, make_observed(case["observed"], wanted))
    assert [step.describe() for step in plan.steps] == [fill_in(text, case) for text in case["steps"]]
    assert (plan.revision, plan.previous, plan.endpoint) == (case["revision"], case["previous"], ENDPOINT)
    assert plan.is_empty == (not case["steps"])


def packages(number: int) -> st.SearchStrategy[RevisionPackage | None]:
    there = [make_package(number, group, is_there=is_there) for group in ("wines", "reds") for is_there in (True, False)]
    return st.sampled_from([None, *there])


@st.composite
def observations(draw: st.DrawFn) -> Observed[ObservedSageMaker]:
    versions = draw(st.lists(st.integers(1, 6), max_size=5, unique=True))
    there = [
        make_revision(
            number,
            make_spec(version),
            has_served=draw(st.booleans()),
            has_model=draw(st.booleans()),
            has_config=draw(st.booleans()),
        )
        for number, version in enumerate(versions, start=1)
    ]
    there = [dataclasses.replace(one, package=draw(packages(one.number))) for one in there]
    endpoint = None
    has_endpoint = draw(st.booleans())
    if versions and has_endpoint:
        status = draw(st.sampled_from(EndpointStatus))
        pending = draw(st.sampled_from(versions)) if status in {EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK} else None
        endpoint = make_endpoint(status.value, draw(st.sampled_from(versions)), pending)
    serving = endpoint.serving_config if endpoint else None
    seen = ObservedSageMaker(
        key=KEY,
        account=ACCOUNT,
        revisions=tuple(there),
        serving=next((one.number for one in there if one.name == serving), None),
        next_number=len(there) + 1,
        endpoint=endpoint,
        repository=draw(st.sampled_from([None, REPOSITORY])),
        has_own_role=draw(st.booleans()),
        alarms=draw(st.sampled_from([None, AlarmPolicy()])),
        scaling=draw(st.sampled_from([None, Scaling(minimum=1, maximum=2)])),
    )
    image = draw(st.sampled_from([None, make_image(1)]))
    return Observed(deployment=seen, image=image, record=None, alias_version=None, taken_at="t")


wishes = st.builds(
    lambda limit, alarms, scaling, package: dataclasses.replace(
        make_wanted({"model": 1, "history_limit": limit}),
        policy=SageMakerPolicy(alarms=alarms, scaling=scaling, package=package),
    ),
    st.integers(1, 5),
    st.sampled_from([None, AlarmPolicy()]),
    st.sampled_from([None, Scaling(minimum=1, maximum=2), Scaling(minimum=2, maximum=2)]),
    st.sampled_from([None, PackagePolicy(group="wines")]),
)


def reach(plan: Plan, wanted: WantedSageMaker, observed: Observed[ObservedSageMaker]) -> Observed[ObservedSageMaker]:
    """What is observed after every step of a plan is done."""
    gone = {step.number for step in plan.steps if isinstance(step, DeleteRevision)}
    assert plan.revision is not None
    others = [one for one in observed.deployment.revisions if one.number not in gone and one.number != plan.revision]
    before = observed.deployment.find_revision(plan.revision)
    package = before.package if before else None
    if any(isinstance(step, RegisterPackage) for step in plan.steps):
        package = make_package(plan.revision, "wines")
    revisions: list[SageMakerRevision] = [
        *others,
        dataclasses.replace(make_revision(plan.revision, wanted.spec), package=package),
    ]
    seen = dataclasses.replace(
        observed.deployment,
        revisions=tuple(sorted(revisions, key=lambda one: one.number)),
        serving=plan.revision,
        next_number=plan.revision + 1,
        endpoint=make_endpoint("InService", 1),
        repository=REPOSITORY,
        has_own_role=True,
        alarms=wanted.policy.alarms,
        scaling=wanted.policy.scaling,
    )
    record = make_record(plan.revision, wanted, RecordStatus.SERVING)
    record = dataclasses.replace(record, model_package=package.arn if package else None)
    return Observed(deployment=seen, image=make_image(1), record=record, alias_version=None, taken_at="t")


@given(observations(), wishes)
def test_nothing_is_left_to_plan_after_a_plan_is_done(observed: Observed[ObservedSageMaker], wanted: WantedSageMaker) -> None:
    plan = plan_sagemaker(KEY, wanted, observed)
    assert plan == plan_sagemaker(KEY, wanted, observed)
    assert plan_sagemaker(KEY, wanted, reach(plan, wanted, observed)).is_empty


@given(observations(), wishes)
def test_nothing_that_serves_or_is_to_serve_is_deleted(observed: Observed[ObservedSageMaker], wanted: WantedSageMaker) -> None:
    plan = plan_sagemaker(KEY, wanted, observed)
    is_settling = [step.phase is Phase.SETTLE for step in plan.steps]
    assert is_settling == sorted(is_settling)
    deleted = {step.number for step in plan.steps if isinstance(step, DeleteRevision)}
    assert plan.revision not in deleted
    if observed.deployment.serving in deleted:
        assert any(step.type in {"CreateEndpoint", "UpdateEndpoint", "WaitInService"} for step in plan.steps)


@given(observations())
def test_cleaning_up_leaves_what_an_endpoint_uses_and_what_has_served(observed: Observed[ObservedSageMaker]) -> None:
    seen = observed.deployment
    names = {step.name for step in clean_up_idle(seen)}
    assert not names & {one.name for one in seen.revisions if one.has_served}
    if seen.endpoint is not None:
        assert not names & {seen.endpoint.config, seen.endpoint.pending_config}
        unused = {one.name for one in seen.revisions if not one.has_served}
        assert names == unused - {seen.endpoint.config, seen.endpoint.pending_config}


@pytest.mark.parametrize(
    ("owner", "says"), [(None, "was not made by Dockyard"), ("prod/wine", "belongs to deployment prod/wine")]
)
def test_endpoint_of_somebody_else_is_refused(owner: str | None, says: str) -> None:
    wanted = make_wanted({"model": 1})
    observed = make_observed({}, wanted)
    seen = dataclasses.replace(observed.deployment, endpoint=make_endpoint("InService", 1, owner=owner))
    with pytest.raises(ConflictError, match=says) as caught:
        plan_sagemaker(KEY, wanted, dataclasses.replace(observed, deployment=seen))
    assert caught.value.code == "endpoint-not-ours"
    assert "--name" in (caught.value.hint or "")
    with pytest.raises(ConflictError, match=says):
        plan_delete_sagemaker(seen, recorded=None, taken_at="t")


def describe_delete(case: dict[str, Any], recorded: int | None) -> list[str]:
    plan = plan_delete_sagemaker(make_seen(case), recorded=recorded, taken_at="t")
    assert (plan.revision, plan.endpoint) == (None, ENDPOINT)
    return [step.describe() for step in plan.steps]


def test_delete_takes_the_endpoint_first_and_records_that_at_once() -> None:
    one = name_revision(make_spec(1))
    assert describe_delete({"revisions": [[1, 1, True]], "endpoint": ["InService", 1], "alarms": {}}, 1) == [
        "delete endpoint wine",
        "write the record `dockyard.sagemaker.wine`: deleted",
        f"delete revision 1, {one} (the deployment is deleted)",
        "delete dockyard/wine and dockyard-wine and its alarms",
    ]


def test_delete_of_what_is_left_deletes_only_that() -> None:
    assert describe_delete({"repository": False}, None) == ["delete dockyard-wine"]
    assert describe_delete({"role": False}, None) == ["delete dockyard/wine"]
    assert describe_delete({"supplies": False, "alarms": {}}, None) == ["delete its alarms"]
    assert describe_delete({"supplies": False}, None) == []


@pytest.mark.parametrize("is_there", [True, False])
def test_record_of_other_settings_that_serve_stays_until_the_new_ones_do(*, is_there: bool) -> None:
    wanted = make_wanted({"model": 2, "policy": {"wait": False}})
    case = {"revisions": [[1, 1, True], [2, 2, False]], "endpoint": ["Updating", 1, 2]}
    record = make_record(1 if is_there else None, wanted, RecordStatus.SERVING)
    observed = dataclasses.replace(make_observed(case, wanted), record=record)
    assert plan_sagemaker(KEY, wanted, observed).is_empty == is_there


def test_environment_variables_are_shown_as_changed_but_never_their_values() -> None:
    wanted = make_wanted({"model": 1, "settings": {"env": (("TOKEN", "s3cr3t-canary"),)}})
    changes = plan_sagemaker(KEY, wanted, make_observed({}, wanted)).changes
    assert any(one.what == "env TOKEN" and (one.after or "").startswith("***") for one in changes)
    assert "s3cr3t-canary" not in str(changes)


def test_changes_name_groups_of_settings_and_lists() -> None:
    wanted = make_wanted({"model": 1, "settings": {"tags": (("team", "wine"), ("cost", "7"))}})
    observed = make_observed({"revisions": [[1, 1, True]], "endpoint": ["InService", 1]}, wanted)
    changes = {one.what: (one.before, one.after) for one in plan_sagemaker(KEY, wanted, observed).changes}
    assert changes["tags"] == (None, "team=wine, cost=7")
    assert "capacity instance type" not in changes
    assert changes["revision"] == ("1", "2")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Creating", DeploymentState.STARTING),
        ("Updating", DeploymentState.UPDATING),
        ("SystemUpdating", DeploymentState.SERVING),
        ("InService", DeploymentState.SERVING),
        ("UpdateRollbackFailed", DeploymentState.DOWN),
        ("Failed", DeploymentState.DOWN),
    ],
)
def test_deployment_is_what_its_endpoint_is(status: str, state: DeploymentState) -> None:
    assert make_seen({"endpoint": [status, 1]}).state is state
