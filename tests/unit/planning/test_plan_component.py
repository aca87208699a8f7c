"""The planner of SageMaker where the model is an inference component: the cases of plan_sagemaker/component.yaml."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockyard.domain.deployment import RevisionStatus
from dockyard.domain.errors import ConflictError
from dockyard.domain.image import BuilderKind
from dockyard.domain.observed import DeploymentState, Observed
from dockyard.domain.record import RecordStatus
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Endpoint,
    EndpointStatus,
    Instances,
    ObservedSageMaker,
    SageMakerPolicy,
    SageMakerSettings,
    SageMakerSpec,
    Scaling,
)
from dockyard.domain.sagemaker_component import Component, ComponentStatus, InferenceComponent
from dockyard.domain.sagemaker_component_steps import UpdateComponent
from dockyard.domain.sagemaker_host import HostEndpoint, derive_host_name, make_host
from dockyard.planning.sagemaker import WantedSageMaker, clean_up_idle, plan_delete_sagemaker, plan_sagemaker
from support.local_values import claim_revision
from support.sagemaker_values import ACCOUNT, ENDPOINT, KEY, REPOSITORY, make_image, make_revision, make_spec, name_revision

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "plan_sagemaker" / "component.yaml").read_text(encoding="utf-8"))


def make_hosted(version: int, copies: int = 1) -> SageMakerSpec:
    return make_spec(version, component=Component(memory_mb=1024, copies=copies))


def make_policy(case: dict[str, Any]) -> SageMakerPolicy:
    values = case.get("policy", {})
    return SageMakerPolicy(
        alarms=AlarmPolicy(**values["alarms"]) if "alarms" in values else None,
        scaling=Scaling(**values["scaling"]) if "scaling" in values else None,
        wait=values.get("wait", True),
    )


def name_hosts(policy: SageMakerPolicy) -> dict[str, str]:
    settings = make_hosted(1).settings
    other = dataclasses.replace(settings, capacity=Instances(instance_type="ml.m5.xlarge"))
    names = {"host": settings, "other": other}
    return {name: derive_host_name(ENDPOINT, make_host(one, policy)) for name, one in names.items()}


def make_seen(case: dict[str, Any]) -> ObservedSageMaker:
    names = name_hosts(make_policy(case))
    versions = case.get("revisions", [])
    revisions = tuple(
        make_revision(number, make_hosted(version), has_served=served, has_config=False)
        for number, (version, served) in enumerate(versions, start=1)
    )
    endpoint = None
    if "endpoint" in case:
        status, config = case["endpoint"]
        endpoint = HostEndpoint(
            name=ENDPOINT,
            status=EndpointStatus(status),
            config=names[config],
            owner=str(KEY),
            component=make_component(*case["component"]) if "component" in case else None,
        )
    serving = endpoint.serving_config if endpoint else None
    return ObservedSageMaker(
        key=KEY,
        account=ACCOUNT,
        revisions=revisions,
        serving=next((one.number for one in revisions if one.name == serving), None),
        next_number=len(revisions) + 1,
        endpoint=endpoint,
        repository=REPOSITORY,
        has_own_role=True,
        host_configs=tuple(names[one] for one in case.get("configs", [])),
    )


def make_component(status: str, version: int, copies: int) -> InferenceComponent:
    model = name_revision(make_hosted(version))
    return InferenceComponent(name=ENDPOINT, status=ComponentStatus(status), model=model, copies=copies)


def make_wanted(case: dict[str, Any]) -> WantedSageMaker:
    return WantedSageMaker(
        spec=make_hosted(case["wanted"]),
        builder=BuilderKind.DIRECT,
        builder_reason="because",
        policy=make_policy(case),
    )


def make_observed(case: dict[str, Any]) -> Observed[ObservedSageMaker]:
    seen, image = make_seen(case), make_image(case["wanted"])
    record = None
    if "record" in case:
        record = claim_revision(
            RecordStatus(case["record"]),
            case["wanted"],
            make_hosted(case["wanted"]),
            image=f"{REPOSITORY}@{image.digest}",
            endpoint=ENDPOINT,
        )
    return Observed(deployment=seen, image=image, record=record, alias_version=None, taken_at="t")


def fill_in(text: str, case: dict[str, Any]) -> str:
    names = {str(version): name_revision(make_hosted(version)) for version in (1, 2)} | name_hosts(make_policy(case))
    for key, name in names.items():
        text = text.replace(f"{{{key}}}", name)
    return text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_plan_of_case(case: dict[str, Any]) -> None:
    plan = plan_sagemaker(KEY, make_wanted(case), make_observed(case))
    assert [step.describe() for step in plan.steps] == [fill_in(step, case) for step in case["steps"]]
    assert plan == plan_sagemaker(KEY, make_wanted(case), make_observed(case))


UPDATE = {
    "wanted": 2,
    "revisions": [[1, True]],
    "configs": ["host"],
    "endpoint": ["InService", "host"],
    "component": ["InService", 1, 4],
}


@pytest.mark.parametrize(("there", "scaling", "copies"), [(4, True, 4), (0, True, 1), (4, False, 1)])
def test_update_keeps_the_copies_that_scaling_chose_and_proves_itself_with_one_at_least(
    there: int, scaling: bool, copies: int
) -> None:
    limits = {"minimum": 1, "maximum": 4, "invocations_per_instance": 10}
    case = {**UPDATE, "component": ["InService", 1, there], "policy": {"scaling": limits} if scaling else {}}
    (update,) = [
        step for step in plan_sagemaker(KEY, make_wanted(case), make_observed(case)).steps if isinstance(step, UpdateComponent)
    ]
    assert (update.copies, update.previous) == (copies, name_revision(make_hosted(1)))


def test_endpoint_of_the_other_kind_is_refused_unless_it_failed() -> None:
    case: dict[str, Any] = {"wanted": 1}
    observed = make_observed(case)
    for status, is_refused in ((EndpointStatus.IN_SERVICE, True), (EndpointStatus.FAILED, False)):
        endpoint = Endpoint(name=ENDPOINT, status=status, config="c", owner=str(KEY))
        seen = dataclasses.replace(observed.deployment, endpoint=endpoint)
        if is_refused:
            with pytest.raises(ConflictError) as caught:
                plan_sagemaker(KEY, make_wanted(case), dataclasses.replace(observed, deployment=seen))
            assert caught.value.code == "endpoint-kind-differs"
        else:
            assert plan_sagemaker(KEY, make_wanted(case), dataclasses.replace(observed, deployment=seen)).steps


def test_delete_takes_the_component_before_its_endpoint() -> None:
    plan = plan_delete_sagemaker(make_seen(UPDATE), recorded=1, taken_at="t")
    config = name_hosts(SageMakerPolicy())["host"]
    assert [step.describe() for step in plan.steps] == [
        "delete inference component wine",
        "delete endpoint wine",
        "write the record `dockyard.sagemaker.wine`: deleted",
        f"delete endpoint configuration {config}",
        f"delete revision 1, {name_revision(make_hosted(1))} (the deployment is deleted)",
        "delete dockyard/wine and dockyard-wine",
    ]


def test_nothing_is_idle_while_nobody_sees_where_a_component_goes() -> None:
    case = {**UPDATE, "revisions": [[1, True], [2, False]]}
    assert [step.number for step in clean_up_idle(make_seen(case))] == [2]
    assert list(clean_up_idle(make_seen({**case, "component": ["Updating", 1, 1]}))) == []


@pytest.mark.parametrize(
    ("endpoint", "component", "state", "revision"),
    [
        ("InService", "InService", DeploymentState.SERVING, RevisionStatus.READY),
        ("Updating", "InService", DeploymentState.SERVING, RevisionStatus.READY),
        ("InService", "Updating", DeploymentState.UPDATING, RevisionStatus.READY),
        ("InService", "Creating", DeploymentState.STARTING, RevisionStatus.STARTING),
        ("InService", "Failed", DeploymentState.DOWN, RevisionStatus.FAILED),
        ("InService", "Deleting", DeploymentState.DOWN, RevisionStatus.STOPPED),
    ],
)
def test_deployment_is_what_its_component_is(
    endpoint: str, component: str, state: DeploymentState, revision: RevisionStatus
) -> None:
    seen = make_seen({**UPDATE, "endpoint": [endpoint, "host"], "component": [component, 1, 1]})
    assert seen.endpoint is not None
    assert (seen.state, seen.endpoint.describe_revision(name_revision(make_hosted(1)))) == (state, revision)
    assert seen.endpoint.describe_revision(name_revision(make_hosted(2))) is RevisionStatus.STOPPED


def test_endpoint_without_its_component_serves_nothing() -> None:
    case = {key: value for key, value in UPDATE.items() if key != "component"}
    assert (make_seen(case).state, make_seen(case).serving) == (DeploymentState.DOWN, None)
    creating = make_seen({**case, "endpoint": ["Creating", "host"]})
    assert creating.state is DeploymentState.STARTING


def test_names_of_revisions_without_a_component_are_as_they_were() -> None:
    assert make_spec(1).spec_hash == "77cd291d310310a0"
    assert make_spec(1, component=Component(memory_mb=1024)).spec_hash != make_spec(1).spec_hash


def test_what_nobody_serves_runs_on_nothing() -> None:
    seen = make_seen({"wanted": 1, "revisions": [[1, True]], "configs": ["host"]})
    assert (seen.serving_revision, seen.capacity) == (None, None)


def test_only_a_component_on_instances_has_a_host() -> None:
    with pytest.raises(TypeError, match="only a component"):
        make_host(SageMakerSettings(role="role"), SageMakerPolicy())
