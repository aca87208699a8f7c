"""`deploy` on SageMaker, on an account in memory: what it does, what it leaves alone, and what it writes down."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from dockyard.domain.errors import DockyardError, UnhealthyError, UsageError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import (
    EndpointStatus,
)
from dockyard.testing.endpoints import Course, Ending
from dockyard.usecases.deploy import deploy
from support.local_values import make_model
from support.sagemaker_bench import NO_WAIT, ONE, SageMakerBench, list_calls, list_without_images, run, want
from support.sagemaker_values import ENDPOINT, KEY, OWN_ROLE


@pytest.fixture
def bench() -> SageMakerBench:
    return SageMakerBench()


def test_first_deploy_makes_what_it_needs_and_is_recorded(bench: SageMakerBench) -> None:
    result = run(bench)
    assert (result.status, result.revision, result.previous, result.endpoint) == (ResultStatus.DEPLOYED, 1, None, ENDPOINT)
    assert list_without_images(bench) == ONE
    assert (bench.endpoint.status, bench.endpoint.owner) == (EndpointStatus.IN_SERVICE, str(KEY))
    assert bench.account.models[bench.endpoint.config].spec.settings.role == OWN_ROLE
    record = bench.registry.find_record(KEY, make_model(1))
    assert record is not None
    assert (record.status, record.endpoint, record.image) == (RecordStatus.SERVING, ENDPOINT, result.image)
    assert [result.image] == list(bench.endpoint.images)
    assert len(bench.scorer.requests) == 20


def test_second_deploy_of_the_same_changes_nothing(bench: SageMakerBench) -> None:
    run(bench)
    before = (list(bench.faults.calls), list(bench.registry.writes), bench.list_things())
    assert run(bench).status is ResultStatus.UNCHANGED
    assert (bench.faults.calls, bench.registry.writes, bench.list_things()) == before


def test_plan_changes_nothing_and_tells_the_cost(bench: SageMakerBench) -> None:
    bench.preflight.cost = "0.115 USD an hour"
    result = deploy(bench.open(), want(1), plan_only=True)
    assert (result.status, result.plan.notes) == (ResultStatus.PLANNED, ("0.115 USD an hour",))
    assert bench.faults.calls == []
    run(bench)
    assert run(bench).notes == ()


def test_what_is_sure_to_fail_is_told_before_anything_is_made(bench: SageMakerBench) -> None:
    error = Finding(code="role-trust", severity=Severity.ERROR, message="the role is not trusted", remedy="trust it")
    bench.preflight.findings = (error, dataclasses.replace(error, code="quota", message="the quota is 0"))
    with pytest.raises(UsageError, match="the role is not trusted") as caught:
        run(bench)
    assert (caught.value.code, caught.value.hint, caught.value.details) == (
        "preflight-failed",
        "trust it",
        ("quota: the quota is 0",),
    )
    assert bench.list_things() == []


def test_what_may_fail_is_a_note_of_the_plan(bench: SageMakerBench) -> None:
    bench.preflight.findings = (Finding(code="quota", severity=Severity.WARNING, message="it may not be looked at"),)
    assert run(bench).notes == ("quota: it may not be looked at",)


def test_update_moves_the_endpoint_and_keeps_what_it_came_from(bench: SageMakerBench) -> None:
    run(bench, 1)
    result = run(bench, 2)
    assert (result.revision, result.previous, bench.serving_version()) == (2, 1, "2")
    assert list_without_images(bench) == sorted([*ONE, "config 2", "model 2"])
    assert bench.list_recorded() == ["2"]
    assert bench.record_status(1) is RecordStatus.SUPERSEDED


def test_changed_setting_is_a_revision_of_the_same_image(bench: SageMakerBench) -> None:
    run(bench, 1)
    images = dict(bench.images.pushed)
    assert run(bench, 1, env=(("A", "1"),)).revision == 2
    assert bench.images.pushed == images


def test_revisions_beyond_the_limit_go_with_their_images(bench: SageMakerBench) -> None:
    for version in (1, 2, 3):
        run(bench, version, history_limit=2)
    assert [thing for thing in bench.list_things() if thing.startswith(("model", "config"))] == [
        "config 2",
        "config 3",
        "model 2",
        "model 3",
    ]
    assert len(set(bench.images.pushed.values())) == 2


@pytest.mark.parametrize("reason", ["", "The variant did not pass the ping health check"])
def test_silent_rollback_is_a_failure_with_its_cause(bench: SageMakerBench, reason: str) -> None:
    run(bench, 1)
    old = bench.clock.now() - timedelta(days=1)
    bench.account.logs[ENDPOINT] = [(old, "a line of revision 1"), (bench.clock.now(), "ModuleNotFoundError: sklearn")]
    bench.account.next_courses.append(Course(ending=Ending.ROLLS_BACK, reason=reason))
    before = bench.list_things()
    with pytest.raises(UnhealthyError) as caught:
        run(bench, 2)
    assert (caught.value.code, caught.value.exit_code) == ("rolled-back", 1)
    assert reason in caught.value.message
    assert caught.value.details == ("ModuleNotFoundError: sklearn",)
    assert caught.value.hint
    assert (bench.list_things(), bench.serving_version(), bench.list_recorded()) == (before, "1", ["1"])
    assert bench.record_status(2) is RecordStatus.FAILED
    assert run(bench, 2).status is ResultStatus.DEPLOYED


def test_failed_creation_leaves_nothing(bench: SageMakerBench) -> None:
    bench.account.next_courses.append(Course(ending=Ending.FAILS, reason="CannotPull image"))
    with pytest.raises(UnhealthyError, match="CannotPull") as caught:
        run(bench)
    assert caught.value.code == "endpoint-failed"
    assert bench.list_things() == []
    assert bench.account.list_deployments() == ()


def test_endpoint_that_failed_to_be_created_is_replaced(bench: SageMakerBench) -> None:
    run(bench, policy=NO_WAIT)
    bench.account.put_endpoint(dataclasses.replace(bench.endpoint, status=EndpointStatus.FAILED))
    result = run(bench)
    assert result.status is ResultStatus.DEPLOYED
    assert "ReplaceEndpoint" in [step.type for step in result.plan.steps]
    assert list_without_images(bench) == ONE


def test_update_that_ends_in_failure_is_replaced_by_the_next_deploy(bench: SageMakerBench) -> None:
    run(bench, 1)
    bench.account.next_courses.append(Course(ending=Ending.FAILS, reason="capacity"))
    with pytest.raises(UnhealthyError, match="is Failed"):
        run(bench, 2)
    assert run(bench, 2).status is ResultStatus.DEPLOYED
    assert bench.serving_version() == "2"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_endpoint_whose_rollback_failed_takes_any_revision(bench: SageMakerBench, version: int) -> None:
    run(bench, 1)
    bench.account.next_courses += [Course(ending=Ending.ROLLBACK_FAILS)] * 2
    with pytest.raises(UnhealthyError, match="UpdateRollbackFailed"):
        run(bench, 2)
    assert bench.endpoint.status is EndpointStatus.UPDATE_ROLLBACK_FAILED
    bench.account.usual = Course(hidden=2)
    assert run(bench, version).status is ResultStatus.DEPLOYED
    assert (bench.serving_version(), bench.endpoint.status) == (str(version), EndpointStatus.IN_SERVICE)


def test_endpoint_whose_rollback_failed_is_brought_back(bench: SageMakerBench) -> None:
    run(bench, 1)
    before = bench.list_things()
    bench.account.next_courses.append(Course(ending=Ending.ROLLBACK_FAILS))
    with pytest.raises(UnhealthyError, match="UpdateRollbackFailed"):
        run(bench, 2)
    assert (bench.serving_version(), bench.endpoint.status) == ("1", EndpointStatus.IN_SERVICE)
    assert bench.list_things() == before


def test_repair_that_fails_again_leaves_the_endpoint_as_it_is(bench: SageMakerBench) -> None:
    run(bench, 1)
    broken = dataclasses.replace(bench.endpoint, status=EndpointStatus.UPDATE_ROLLBACK_FAILED)
    bench.account.put_endpoint(broken)
    bench.account.next_courses.append(Course(ending=Ending.ROLLBACK_FAILS))
    bench.faults.calls.clear()
    with pytest.raises(UnhealthyError, match="UpdateRollbackFailed"):
        run(bench, 1)
    assert list_calls(bench) == ["update_endpoint"]


def test_wrong_answer_is_taken_back(bench: SageMakerBench) -> None:
    run(bench, 1)
    spec = deploy(bench.open(), want(2), plan_only=True)
    bench.scorer.wrong.add(spec.plan.steps[0].fingerprint)  # type: ignore[union-attr]
    before = bench.list_things()
    with pytest.raises(UnhealthyError) as caught:
        run(bench, 2)
    assert caught.value.code == "wrong-answer"
    assert (bench.list_things(), bench.serving_version()) == (before, "1")


def test_going_back_that_fails_keeps_what_the_endpoint_is_at(bench: SageMakerBench) -> None:
    run(bench, 1)
    spec = deploy(bench.open(), want(2), plan_only=True)
    bench.scorer.wrong.add(spec.plan.steps[0].fingerprint)  # type: ignore[union-attr]
    bench.account.next_courses += [Course(), Course(ending=Ending.ROLLS_BACK)]
    with pytest.raises(UnhealthyError):
        run(bench, 2)
    assert bench.serving_version() == "2"
    assert any("could not take back" in note for note in bench.progress.notes)
    assert {"config 1", "config 2", "model 1", "model 2"} <= set(bench.list_things())
    bench.scorer.wrong.clear()
    assert run(bench, 2).status is ResultStatus.DEPLOYED
    assert bench.list_recorded() == ["2"]


def test_another_image_than_the_proved_one_is_taken_back(bench: SageMakerBench) -> None:
    run(bench, 1)
    result = deploy(bench.open(), want(2), plan_only=True)
    name = result.plan.steps[2].name  # type: ignore[union-attr]

    def change_model() -> None:
        model = bench.account.models[name]
        bench.account.models[name] = dataclasses.replace(model, image=next(iter(bench.images.pushed.values())))

    bench.account.strangers["update_endpoint"] = change_model
    with pytest.raises(UnhealthyError, match="not the image that was built") as caught:
        run(bench, 2)
    assert caught.value.code == "endpoint-failed"
    assert bench.serving_version() == "1"


def test_refusals_of_the_account_are_told_with_their_code(bench: SageMakerBench) -> None:
    bench.fail_call(2, DockyardError("aws-refused", "not allowed to ecr:CreateRepository"))
    with pytest.raises(DockyardError, match="CreateRepository"):
        run(bench)
    assert bench.list_things() == []
    assert bench.record_status(1) is RecordStatus.FAILED
