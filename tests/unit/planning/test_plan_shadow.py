"""The planner of SageMaker where a revision is in the shadow of another: the cases of plan_sagemaker/shadow.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dockyard.domain.image import BuilderKind
from dockyard.domain.observed import Observed
from dockyard.domain.record import RecordStatus
from dockyard.domain.sagemaker import Endpoint, EndpointStatus, ObservedSageMaker, Rollout, RolloutKind, SageMakerPolicy
from dockyard.domain.sagemaker_shadow import derive_shadow_name
from dockyard.planning.sagemaker import WantedSageMaker, clean_up_idle, plan_sagemaker
from support.local_values import claim_revision
from support.sagemaker_values import ACCOUNT, ENDPOINT, KEY, REPOSITORY, make_image, make_revision, make_spec, name_revision

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "plan_sagemaker" / "shadow.yaml").read_text(encoding="utf-8"))
NAMES = {str(version): name_revision(make_spec(version)) for version in (1, 2, 3)}
NAMES |= {f"1+{version}": derive_shadow_name(ENDPOINT, NAMES["1"], NAMES[version], 100) for version in ("2", "3")}


def make_wanted(version: int, kind: str, *, keeps_shadow: bool = False) -> WantedSageMaker:
    return WantedSageMaker(
        spec=make_spec(version),
        builder=BuilderKind.DIRECT,
        builder_reason="because",
        policy=SageMakerPolicy(rollout=Rollout(kind=RolloutKind(kind))),
        keeps_shadow=keeps_shadow,
    )


def make_observed(version: int, shadow: int | None, record: str | None = None) -> Observed[ObservedSageMaker]:
    revisions = [make_revision(1, make_spec(1))]
    endpoint = Endpoint(name=ENDPOINT, status=EndpointStatus.IN_SERVICE, config=NAMES["1"], owner=str(KEY))
    if shadow is not None:
        revisions.append(make_revision(2, make_spec(shadow), has_served=False))
        endpoint = Endpoint(
            name=ENDPOINT,
            status=EndpointStatus.IN_SERVICE,
            config=NAMES[f"1+{shadow}"],
            production=NAMES["1"],
            shadow=NAMES[str(shadow)],
            owner=str(KEY),
        )
    seen = ObservedSageMaker(
        key=KEY,
        account=ACCOUNT,
        revisions=tuple(revisions),
        serving=1,
        next_number=len(revisions) + 1,
        endpoint=endpoint,
        repository=REPOSITORY,
        has_own_role=True,
        shadow_configs=(NAMES[f"1+{shadow}"],) if shadow else (),
    )
    image = make_image(version)
    told = record and claim_revision(
        RecordStatus(record),
        version,
        make_spec(version),
        image=image.digest,
        endpoint=ENDPOINT if record == "serving" else None,
        traffic_percent=0,
    )
    return Observed(deployment=seen, image=image, record=told or None, alias_version=None, taken_at="t")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_plan_of_case(case: dict[str, Any]) -> None:
    observed = make_observed(case["wanted"], case.get("shadow"), case.get("record"))
    plan = plan_sagemaker(KEY, make_wanted(case["wanted"], case["kind"]), observed)
    steps = [step.describe() for step in plan.steps]
    assert steps == [_fill(step) for step in case["steps"]]
    assert plan.is_shadow == any("record" in step and "shadow" in step for step in steps)
    assert plan.is_empty == (not case["steps"])


def _fill(step: str) -> str:
    for key, name in NAMES.items():
        step = step.replace(f"{{{key}}}", name)
    return step


def test_shadow_is_no_drift_of_what_serves_and_nothing_that_is_idle() -> None:
    observed = make_observed(1, 2, "serving")
    assert plan_sagemaker(KEY, make_wanted(1, "all-at-once", keeps_shadow=True), observed).is_empty
    assert list(clean_up_idle(observed.deployment)) == []
    assert observed.deployment.capacity == "1 x ml.m5.large, revision 2 in its shadow"
