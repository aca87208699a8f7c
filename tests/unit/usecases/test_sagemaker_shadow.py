"""`deploy` with the rollout `shadow`, on an account in memory: what is copied, what serves, and what is left."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import Rollout, RolloutKind, SageMakerPolicy
from dockyard.testing.endpoints import Course, Ending
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.drift import describe_drift
from dockyard.usecases.rollback import roll_back
from dockyard.usecases.status import describe_status
from support.sagemaker_bench import DELETE, ROLLBACK, SageMakerBench, list_without_images, run
from support.sagemaker_values import ENDPOINT, KEY

SHADOW = SageMakerPolicy(rollout=Rollout(kind=RolloutKind.SHADOW, shadow_percent=50))
FULL = SageMakerPolicy()


def make_bench() -> SageMakerBench:
    """Version 1 serves, and version 2 is in its shadow."""
    bench = SageMakerBench(policy=SHADOW)
    run(bench, policy=SHADOW)
    assert run(bench, 2, policy=SHADOW).status is ResultStatus.DEPLOYED
    return bench


def find_shadow(bench: SageMakerBench) -> str | None:
    name = bench.endpoint.shadow
    return bench.account.models[name].spec.model.version if name else None


def test_first_revision_has_nothing_to_be_in_the_shadow_of() -> None:
    bench = SageMakerBench(policy=SHADOW)
    result = run(bench, policy=SHADOW)
    assert not result.plan.is_shadow
    assert (bench.serving_version(), find_shadow(bench), bench.account.shadow_configs) == ("1", None, {})


def test_new_revision_gets_copies_while_the_old_one_answers() -> None:
    bench = make_bench()
    assert (bench.serving_version(), find_shadow(bench)) == ("1", "2")
    assert (bench.record_status(1), bench.record_status(2)) == (RecordStatus.SERVING, RecordStatus.SHADOW)
    seen = bench.site.describe(KEY)
    assert (seen.serving, seen.shadow_revision and seen.shadow_revision.number) == (1, 2)
    (row,) = describe_status(bench.open(), None, None).rows
    assert row.capacity == "1 x ml.m5.large, revision 2 in its shadow"


def test_same_again_changes_nothing_and_nothing_has_drifted() -> None:
    bench = make_bench()
    before = bench.list_things()
    bench.faults.calls.clear()
    assert run(bench, 2, policy=SHADOW).status is ResultStatus.UNCHANGED
    assert bench.faults.calls == []
    assert not describe_drift(bench.open(), KEY).has_drifted
    assert bench.site.plan_cleanup(KEY) == ()
    assert bench.list_things() == before
    assert len(bench.account.shadow_configs) == 1


def test_shadow_that_is_not_waited_for_is_recorded_as_begun_and_taken_up_again() -> None:
    bench = SageMakerBench(policy=SHADOW)
    run(bench, policy=SHADOW)
    run(bench, 2, policy=dataclasses.replace(SHADOW, wait=False))
    assert bench.record_status(2) is RecordStatus.DEPLOYING
    run(bench, 2, policy=SHADOW)
    assert (find_shadow(bench), bench.record_status(2)) == ("2", RecordStatus.SHADOW)


def test_shadow_whose_record_is_lost_is_recorded_and_nothing_else() -> None:
    bench = make_bench()
    bench.registry.forget_records()
    result = run(bench, 2, policy=SHADOW)
    assert [step.type for step in result.plan.steps] == ["WriteRecord"]
    assert bench.record_status(2) is RecordStatus.SHADOW


def test_shadow_of_the_same_version_leaves_the_record_of_what_serves() -> None:
    bench = SageMakerBench(policy=SHADOW)
    run(bench, policy=SHADOW)
    run(bench, policy=SHADOW, env=(("A", "1"),))
    assert bench.record_status(1) is RecordStatus.SERVING
    assert run(bench, policy=SHADOW, env=(("A", "1"),)).status is ResultStatus.UNCHANGED


def test_full_traffic_follows_and_the_shadow_is_over() -> None:
    bench = make_bench()
    result = run(bench, 2, policy=FULL)
    assert result.status is ResultStatus.DEPLOYED
    assert [step.type for step in result.plan.steps] == [
        "UpdateEndpoint",
        "WaitInService",
        "SmokeTest",
        "MarkServed",
        "DeleteShadowConfig",
        "WriteRecord",
    ]
    assert (bench.serving_version(), find_shadow(bench), bench.account.shadow_configs) == ("2", None, {})
    assert bench.list_recorded() == ["2"]
    assert roll_back(bench.open(), ROLLBACK, plan_only=False).status is ResultStatus.ROLLED_BACK
    assert (bench.serving_version(), bench.account.refusals) == ("1", [])


def test_another_revision_takes_the_place_in_the_shadow() -> None:
    bench = make_bench()
    run(bench, 3, policy=SHADOW)
    assert (bench.serving_version(), find_shadow(bench)) == ("1", "3")
    assert len(bench.account.shadow_configs) == 1
    assert [thing for thing in list_without_images(bench) if thing.startswith("model")] == ["model 1", "model 3"]
    assert bench.account.refusals == []


def test_what_serves_is_deployed_again_to_end_the_shadow() -> None:
    bench = make_bench()
    run(bench, 1, policy=SHADOW)
    assert (bench.serving_version(), find_shadow(bench), bench.account.shadow_configs) == ("1", None, {})
    assert "model 2" not in bench.list_things()
    assert bench.record_status(2) is RecordStatus.SUPERSEDED


def test_delete_takes_the_shadow_too() -> None:
    bench = make_bench()
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED
    assert (bench.list_things(), bench.account.shadow_configs, bench.account.list_orphans()) == ([], {}, ())


def test_shadow_that_does_not_come_up_leaves_the_old_revision_alone() -> None:
    bench = SageMakerBench(policy=SHADOW)
    run(bench, policy=SHADOW)
    before = list_without_images(bench)
    bench.account.next_courses.append(Course(ending=Ending.ROLLS_BACK, reason="no ping"))
    with pytest.raises(DockyardError, match="no ping"):
        run(bench, 2, policy=SHADOW)
    assert (list_without_images(bench), bench.account.shadow_configs, bench.serving_version()) == (before, {}, "1")


def list_points() -> list[tuple[int, str]]:
    bench = SageMakerBench(policy=SHADOW)
    run(bench, policy=SHADOW)
    bench.faults.calls.clear()
    run(bench, 2, policy=SHADOW)
    return list(enumerate((call.split()[0] for call in bench.faults.calls), start=1))


@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("number", "call"), list_points(), ids=str)
def test_refused_call_never_stops_what_serves_and_the_same_command_completes(number: int, call: str, has_effect: bool) -> None:
    bench = SageMakerBench(policy=SHADOW)
    run(bench, policy=SHADOW)
    bench.fail_call(number, DockyardError("aws-refused", "it says so"), has_effect=has_effect)
    try:
        run(bench, 2, policy=SHADOW)
    except DockyardError as error:
        assert error.message == "it says so", call
    bench.heal()
    assert bench.serving_version() == "1"
    run(bench, 2, policy=SHADOW)
    assert (bench.serving_version(), find_shadow(bench), len(bench.account.shadow_configs)) == ("1", "2", 1)
    assert bench.account.refusals == []


def test_configuration_and_both_revisions_in_use_are_not_deleted() -> None:
    bench = make_bench()
    state = bench.endpoint
    for name in (state.production, state.shadow):
        with pytest.raises(ConflictError):
            bench.account.delete_revision(name or "")
    with pytest.raises(ConflictError):
        bench.account.delete_shadow_config(state.config)
    assert dataclasses.replace(bench.endpoint) == state
    assert state.name == ENDPOINT
