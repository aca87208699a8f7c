"""The planner of batch transform: the cases of tests/cases/plan_batch, and what holds for names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dockyard.domain.image import BuilderKind
from dockyard.domain.sagemaker import ModelDelivery, ObservedSageMaker
from dockyard.domain.sagemaker_batch import (
    BatchSettings,
    JobModel,
    JobStatus,
    ObservedBatch,
    SeenJob,
    Split,
    derive_access_name,
    derive_job_model_name,
    derive_job_stem,
    is_access_name,
    read_job_number,
)
from dockyard.planning.sagemaker_batch import WantedBatch, derive_wanted_stem, name_job, plan_batch
from support.sagemaker_values import (
    ACCOUNT,
    ENDPOINT,
    GIVEN_ROLE,
    KEY,
    OWN_ROLE,
    REPOSITORY,
    make_image,
    make_revision,
    make_spec,
)

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "plan_batch" / "batch.yaml").read_text(encoding="utf-8"))
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
"""As the service's model has it."""


def make_settings(case: dict[str, Any]) -> dict[str, object]:
    settings = dict(case.get("settings", {}))
    if "delivery" in settings:
        settings["delivery"] = ModelDelivery(settings["delivery"])
    return {"role": GIVEN_ROLE if case.get("role") == "given" else OWN_ROLE, **settings}


def make_wanted(case: dict[str, Any]) -> WantedBatch:
    return WantedBatch(
        spec=make_spec(case["model"], **make_settings(case)),
        builder=BuilderKind.DIRECT,
        builder_reason="because",
        input="s3://bucket/in/",
        output="s3://bucket/out",
        settings=BatchSettings(),
        waits=case.get("waits", True),
    )


def make_observed(case: dict[str, Any], wanted: WantedBatch, settings: dict[str, object]) -> ObservedBatch:
    revisions = [make_revision(n, make_spec(v, **settings)) for n, v in enumerate(case.get("deployed", []), start=1)]
    deployment = ObservedSageMaker(
        key=KEY,
        account=ACCOUNT,
        revisions=tuple(revisions),
        repository=REPOSITORY if case.get("repository") else None,
        has_own_role=case.get("role", False),
    )
    stem = derive_wanted_stem(KEY, wanted)
    own = [(derive_job_model_name(ENDPOINT, wanted.spec.spec_hash), False)] if case.get("has_model") else []
    others = [(name, use == "needed") for name, use in case.get("others", [])]
    return ObservedBatch(
        deployment=deployment,
        image=make_image(int(wanted.spec.model.version or 0)) if case.get("image") else None,
        jobs=tuple(SeenJob(name=f"{stem}-{n}", status=JobStatus(status)) for n, status in case.get("jobs", [])),
        models=tuple(JobModel(name=name, is_needed=needed) for name, needed in (*own, *others)),
        taken_at="t",
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_plan_of_case(case: dict[str, Any]) -> None:
    wanted = make_wanted(case["wanted"])
    seen = make_observed(case["observed"], wanted, make_settings(case["wanted"]))
    plan = plan_batch(KEY, wanted, seen)
    stem, model = derive_wanted_stem(KEY, wanted), derive_job_model_name(ENDPOINT, wanted.spec.spec_hash)
    assert [step.describe().replace(stem, "JOB").replace(model, "MODEL") for step in plan.steps] == case["steps"]
    assert name_job(KEY, wanted, seen) == f"{stem}-{case['job']}"
    assert plan.is_empty == (not case["steps"])
    assert bool(plan.notes) == (not wanted.waits)


@given(
    st.from_regex(r"[a-z0-9](?:-?[a-z0-9]){0,53}", fullmatch=True).filter(lambda name: len(name) <= 54), st.integers(1, 99_999)
)
def test_names_of_jobs_are_legal_and_lead_back_to_their_number(endpoint: str, number: int) -> None:
    stem = derive_job_stem(endpoint, ("spec", "s3://in", "s3://out"), BatchSettings())
    name = f"{stem}-{number}"
    assert _JOB_NAME.fullmatch(name)
    assert len(name) <= 63
    assert read_job_number(stem, name) == number
    assert is_access_name(derive_access_name(name))
    assert derive_access_name(name) == derive_access_name(f"{stem}-1")


def test_jobs_are_the_same_when_all_but_the_patience_is() -> None:
    parts = ("spec", "s3://in", "s3://out")
    same = {derive_job_stem("wine", parts, BatchSettings(timeout_seconds=seconds)) for seconds in (1, 2)}
    assert len(same) == 1
    others = {
        derive_job_stem("wine", ("spec", "s3://in", "s3://elsewhere"), BatchSettings()),
        derive_job_stem("wine", parts, BatchSettings(split=Split.LINE)),
        derive_job_stem("wines", parts, BatchSettings()),
    }
    assert len(same | others) == 4
    assert read_job_number(next(iter(same)), "something-else") is None


def test_model_of_jobs_is_none_of_a_deployment() -> None:
    spec = make_spec(1)
    assert derive_job_model_name(ENDPOINT, spec.spec_hash) not in {one.name for one in (make_revision(1, spec),)}
