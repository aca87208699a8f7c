"""SageMaker's endpoints move by themselves, and others move them, too: who waits for what, and who gives way."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.attempt import AttemptStatus
from dockyard.domain.errors import ConflictError, DetachedError, UnhealthyError
from dockyard.domain.observed import DeploymentState
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Endpoint,
    EndpointStatus,
    SageMakerPolicy,
    Scaling,
)
from dockyard.testing.endpoints import Course, Ending, Phase
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.gc import collect_garbage
from dockyard.usecases.rollback import roll_back
from support.local_values import make_model
from support.sagemaker_bench import (
    DELETE,
    NO_WAIT,
    ROLLBACK,
    ActingClock,
    SageMakerBench,
    list_calls,
    press_control_c,
    run,
    run_failing,
)
from support.sagemaker_values import ENDPOINT, KEY


@pytest.fixture
def bench() -> SageMakerBench:
    return SageMakerBench()


@pytest.mark.parametrize("hidden", [0, 1, 5])
def test_changes_that_are_seen_late_are_waited_for(bench: SageMakerBench, hidden: int) -> None:
    bench.account.usual = Course(hidden=hidden)
    run(bench, 1)
    run(bench, 2)
    assert bench.serving_version() == "2"
    delete_deployment(bench.open(), DELETE, plan_only=False)
    assert bench.list_things() == []


def test_rollback_that_nobody_saw_happening_is_found_by_its_end(bench: SageMakerBench) -> None:
    run(bench, 1)
    bench.account.next_courses.append(Course(ending=Ending.ROLLS_BACK, looks=0))
    with pytest.raises(UnhealthyError, match="was taken back") as caught:
        run(bench, 2)
    assert caught.value.code == "rolled-back"


def test_delete_of_a_deployment_whose_endpoint_somebody_else_deleted_is_recorded(bench: SageMakerBench) -> None:
    run(bench, 1)
    run(bench, 2)
    del bench.account.endpoints[ENDPOINT]
    assert bench.site.describe(KEY).state is DeploymentState.EMPTY
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED
    assert bench.list_things() == []
    assert bench.record_status(2) is RecordStatus.DELETED


def test_delete_of_an_endpoint_that_never_settles_says_how_to_go_on(bench: SageMakerBench) -> None:
    bench.account.usual = Course(looks=10**9)
    run(bench, policy=NO_WAIT)
    with pytest.raises(ConflictError, match="could not be deleted") as caught:
        delete_deployment(bench.open(), DELETE, plan_only=False)
    assert caught.value.code == "endpoint-busy"
    bench.account.endpoints[ENDPOINT].settle()
    bench.account.usual = Course()
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED


def test_deploy_that_is_not_waited_for_is_taken_up_by_the_next(bench: SageMakerBench) -> None:
    run(bench, 1)
    assert run(bench, 2, policy=NO_WAIT).status is ResultStatus.STARTED
    assert (bench.serving_version(), bench.endpoint.status) == ("1", EndpointStatus.UPDATING)
    assert (bench.record_status(1), bench.record_status(2)) == (RecordStatus.SERVING, RecordStatus.DEPLOYING)
    assert bench.site.describe(KEY).state is DeploymentState.UPDATING
    bench.faults.calls.clear()
    assert run(bench, 2, policy=NO_WAIT).status is ResultStatus.UNCHANGED
    assert run(bench, 2).status is ResultStatus.DEPLOYED
    assert list_calls(bench) == ["mark_served"]
    assert (bench.serving_version(), bench.list_recorded()) == ("2", ["2"])
    assert run(bench, 2, policy=NO_WAIT).status is ResultStatus.UNCHANGED


def test_deploy_of_other_settings_that_is_not_waited_for_leaves_the_record_of_what_serves(bench: SageMakerBench) -> None:
    run(bench, 1)
    assert run(bench, 1, env=(("A", "1"),), policy=NO_WAIT).status is ResultStatus.STARTED
    assert run(bench, 1, env=(("A", "1"),), policy=NO_WAIT).status is ResultStatus.UNCHANGED
    assert bench.record_status(1) is RecordStatus.SERVING
    run(bench, 1, env=(("A", "1"),))
    record = bench.registry.find_record(KEY, make_model(1))
    assert record is not None
    assert record.revision == 2


def test_record_of_an_unwaited_revision_that_was_collected_does_not_stay(bench: SageMakerBench) -> None:
    run(bench, 2, env=(("A", "1"),))
    for version in (1, 2, 1):
        bench.account.next_courses.append(Course(looks=1))
        run(bench, version, policy=NO_WAIT)
    assert bench.record_status(2) is RecordStatus.DEPLOYING
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    bench.account.endpoints[ENDPOINT].settle()
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    run(bench, 1)
    assert (bench.serving_version(), bench.record_status(2)) == ("1", RecordStatus.SUPERSEDED)


def test_unwaited_deploy_of_what_serves_still_sets_alarms_and_scaling(bench: SageMakerBench) -> None:
    run(bench, 1)
    policy = dataclasses.replace(NO_WAIT, alarms=AlarmPolicy(), scaling=Scaling(minimum=1, maximum=2))
    assert run(bench, 1, policy=policy).status is ResultStatus.DEPLOYED
    assert {"alarms wine", "scaling wine"} <= set(bench.list_things())
    assert bench.list_recorded() == ["1"]


def test_interrupt_while_waiting_takes_nothing_back() -> None:
    clock = ActingClock(act=press_control_c)
    bench = SageMakerBench(clock=clock)
    run(bench, 1)
    bench.account.usual = Course(looks=10)
    clock.sleeps = 3
    with pytest.raises(DetachedError) as caught:
        run(bench, 2)
    assert caught.value.exit_code == 130
    assert (bench.serving_version(), bench.endpoint.status) == ("1", EndpointStatus.UPDATING)
    assert (bench.record_status(1), bench.record_status(2)) == (RecordStatus.SERVING, RecordStatus.DEPLOYING)
    assert bench.attempts[-1].status is AttemptStatus.INTERRUPTED
    assert {"config 2", "model 2"} <= set(bench.list_things())
    assert run(bench, 2).status is ResultStatus.DEPLOYED
    assert (bench.serving_version(), bench.list_recorded()) == ("2", ["2"])


def test_waiting_ends_when_the_time_is_up_and_takes_the_revision_back(bench: SageMakerBench) -> None:
    bench.account.next_courses.append(Course(looks=40))
    with pytest.raises(UnhealthyError) as caught:
        run(bench, policy=SageMakerPolicy(timeout_seconds=60))
    assert caught.value.code == "endpoint-not-ready"
    assert bench.list_things() == []


@pytest.mark.parametrize("owner", [None, "prod/beer"])
def test_endpoint_of_somebody_else_is_left_alone(bench: SageMakerBench, owner: str | None) -> None:
    bench.account.put_endpoint(Endpoint(name=ENDPOINT, status=EndpointStatus.IN_SERVICE, config="theirs", owner=owner))
    for act in (lambda: run(bench), lambda: delete_deployment(bench.open(), DELETE, plan_only=False)):
        with pytest.raises(ConflictError, match=owner or "not made by Dockyard") as caught:
            act()
        assert caught.value.code == "endpoint-not-ours"
    assert (list_calls(bench), bench.list_things()) == ([], [f"endpoint {ENDPOINT}"])


def test_endpoint_that_somebody_else_makes_meanwhile_is_left_alone(bench: SageMakerBench) -> None:
    theirs = Endpoint(name=ENDPOINT, status=EndpointStatus.IN_SERVICE, config="theirs")
    bench.account.strangers["create_endpoint"] = lambda: bench.account.put_endpoint(theirs)
    with pytest.raises(ConflictError) as caught:
        run(bench)
    assert caught.value.code == "endpoint-not-ours"
    assert bench.list_things() == [f"endpoint {ENDPOINT}"]


def test_endpoint_that_somebody_else_moves_meanwhile_is_planned_for_again(bench: SageMakerBench) -> None:
    run(bench, 1)
    run(bench, 2)
    first = bench.account.describe_deployment(KEY).revisions[0].name
    bench.account.strangers["update_endpoint"] = lambda: bench.account.put_endpoint(
        dataclasses.replace(bench.endpoint, config=first)
    )
    result = run(bench, 3)
    assert (result.status, bench.serving_version()) == (ResultStatus.DEPLOYED, "3")
    assert any("planning again" in note for note in bench.progress.notes)


def test_endpoint_that_somebody_else_deletes_meanwhile_ends_the_waiting() -> None:
    clock = ActingClock()
    bench = SageMakerBench(clock=clock)
    run(bench, 1)
    bench.account.next_courses.append(Course(looks=10**9))
    clock.sleeps, clock.act = 4, bench.account.endpoints.clear
    began = clock.elapsed
    with pytest.raises(UnhealthyError, match="deleted by somebody else"):
        run(bench, 2)
    assert clock.elapsed - began < 60
    assert run(bench, 2).status is ResultStatus.DEPLOYED


def test_endpoint_that_somebody_else_makes_anew_while_ours_is_deleted_is_left_alone() -> None:
    clock = ActingClock()
    bench = SageMakerBench(clock=clock)
    run(bench, 1)
    theirs = Endpoint(name=ENDPOINT, status=EndpointStatus.IN_SERVICE, config="theirs")
    bench.account.usual = Course(looks=100)
    clock.sleeps, clock.act = 4, lambda: bench.account.put_endpoint(theirs)
    with pytest.raises(ConflictError, match="made by somebody else") as caught:
        delete_deployment(bench.open(), DELETE, plan_only=False)
    assert caught.value.code == "endpoint-not-ours"
    assert bench.endpoint == theirs


def test_creation_that_is_not_answered_and_seen_late_is_taken_back(bench: SageMakerBench) -> None:
    bench.account.next_courses.append(Course(hidden=4))
    run_failing(bench, "create_endpoint", has_effect=True)
    assert bench.list_things() == []


@pytest.mark.parametrize("call", ["update_endpoint", "delete_endpoint"])
def test_endpoint_that_aws_begins_to_maintain_is_changed_when_that_is_over(bench: SageMakerBench, call: str) -> None:
    run(bench, 1)
    run(bench, 2)
    rests = bench.endpoint
    maintained = Phase(state=dataclasses.replace(rests, status=EndpointStatus.SYSTEM_UPDATING), looks=3)
    bench.account.strangers[call] = lambda: bench.account.endpoints[ENDPOINT].begin([maintained, Phase(state=rests)])
    if call == "delete_endpoint":
        assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED
        return
    assert roll_back(bench.open(), ROLLBACK, plan_only=False).status is ResultStatus.ROLLED_BACK
    assert bench.serving_version() == "1"


def test_two_at_once_cannot_interleave(bench: SageMakerBench) -> None:
    with bench.locks.hold(KEY, "somebody", 0), pytest.raises(ConflictError) as caught:
        run(bench)
    assert caught.value.code == "lock-held"
    assert bench.faults.calls == []


def test_rollout_from_another_machine_is_waited_for_and_then_replaced(bench: SageMakerBench) -> None:
    run(bench, 1)
    run(bench, 2, policy=NO_WAIT)
    result = run(bench, 3)
    assert result.status is ResultStatus.DEPLOYED
    assert "WaitSettled" in [step.type for step in result.plan.steps] or result.previous == 2
    assert (bench.serving_version(), bench.list_recorded()) == ("3", ["3"])
    assert bench.record_status(2) is RecordStatus.SUPERSEDED
    assert bench.account.refusals == []


def test_endpoint_that_never_settles_is_given_up(bench: SageMakerBench) -> None:
    run(bench, 1)
    bench.account.next_courses.append(Course(looks=10**9))
    run(bench, 2, policy=NO_WAIT)
    before = bench.list_things()
    with pytest.raises(ConflictError, match="still changing") as caught:
        run(bench, 3, policy=SageMakerPolicy(timeout_seconds=60))
    assert caught.value.code == "endpoint-busy"
    assert (bench.list_things(), bench.serving_version()) == (before, "1")
