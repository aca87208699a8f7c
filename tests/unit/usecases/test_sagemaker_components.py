"""Inference components in memory: whatever fails or is killed when, the same command completes and the old revision serves."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.errors import CancelledError, DetachedError, DockyardError, TransientError
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import EndpointStatus, SageMakerPolicy, Scaling
from dockyard.domain.sagemaker_component import Component, ComponentStatus
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.testing.endpoints import Course, Ending, Phase
from dockyard.testing.faults import KilledError
from dockyard.testing.sagemaker_components import MemoryComponents
from support.sagemaker_bench import ActingClock, SageMakerBench, list_calls, press_control_c, run
from support.sagemaker_commands import COMMANDS, assert_same_end, list_points, make_bench
from support.sagemaker_values import ENDPOINT, KEY

COMPONENT = Component(memory_mb=1024)
CAUSES: dict[str, BaseException] = {
    "aws-throttled": TransientError("aws-throttled", "Rate exceeded"),
    "aws-refused": DockyardError("aws-refused", "not allowed"),
    "cancelled": KeyboardInterrupt(),
}
CALLS = [(command, number, call) for command in COMMANDS for number, call in list_points(command, COMPONENT)]
POINTS = [
    pytest.param(command, number, has_effect, id=f"{command}-{number}-{call}-{'after' if has_effect else 'before'}")
    for command, number, call in CALLS
    for has_effect in (False, True)
]
FAULTS = [
    pytest.param(
        command, number, cause, has_effect, id=f"{command}-{call}-{number}-{cause}-{'after' if has_effect else 'before'}"
    )
    for command, number, call in CALLS
    for cause in CAUSES
    for has_effect in (False, True)
    if call != "save_attempt"
]


def make_hosted(**fields: object) -> SageMakerBench:
    """A bench whose deployments have a component."""
    return SageMakerBench(component=COMPONENT, **fields)  # type: ignore[arg-type]


def host(bench: SageMakerBench) -> HostEndpoint:
    """The endpoint as it really is."""
    assert isinstance(bench.endpoint, HostEndpoint)
    return bench.endpoint


@pytest.mark.parametrize(("command", "call", "has_effect"), POINTS)
def test_command_killed_at_any_call_is_completed_by_the_same_command(command: str, call: int, *, has_effect: bool) -> None:
    versions, act = COMMANDS[command]
    bench = make_bench(*versions, component=COMPONENT)
    bench.fail_call(call, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        act(bench)
    bench.heal()
    assert act(bench) in {*ResultStatus} - {ResultStatus.PARTIAL, ResultStatus.PLANNED}
    assert_same_end(bench, command)


@pytest.mark.parametrize(("command", "call", "cause", "has_effect"), FAULTS)
def test_call_that_goes_wrong_ends_in_all_or_nothing(command: str, call: int, cause: str, *, has_effect: bool) -> None:
    versions, act = COMMANDS[command]
    bench = make_bench(*versions, component=COMPONENT)
    before = bench.list_things()
    bench.fail_call(call, CAUSES[cause], has_effect=has_effect)
    try:
        status = act(bench)
    except DockyardError as error:
        assert error.code == cause
        assert error.exit_code == (130 if isinstance(error, CancelledError) else 1)
        if command != "delete":
            assert bench.list_things() == before
            assert bench.serving_version() == (str(versions[-1]) if versions else None)
    else:
        assert status is not ResultStatus.PARTIAL or cause != "aws-throttled"
    bench.heal()
    act(bench)
    assert_same_end(bench, command)


def test_points_are_as_many_as_there_are_calls() -> None:
    assert {call for _, _, call in CALLS} > {
        "create_host_config",
        "create_component",
        "update_component",
        "delete_component",
        "delete_host_config",
        "put_scaling",
    }
    assert len(FAULTS) > 120


@pytest.mark.parametrize("hidden", [0, 3])
def test_update_that_the_service_takes_back_is_a_failure_and_the_old_revision_serves(hidden: int) -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)
    before = bench.list_things()
    bench.account.next_courses = [Course(ending=Ending.ROLLS_BACK, reason="ping health check", hidden=hidden)]
    with pytest.raises(DockyardError, match="by the service: ping health check") as caught:
        run(bench, 2, component=COMPONENT)
    assert caught.value.code == "rolled-back"
    assert (bench.list_things(), bench.serving_version(), bench.list_recorded()) == (before, "1", ["1"])


def test_component_whose_answer_is_wrong_goes_back() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)
    before, model = bench.list_things(), host(bench).serving_config
    bench.scorer.is_wrong = True
    with pytest.raises(DockyardError) as caught:
        run(bench, 2, component=COMPONENT)
    assert caught.value.code == "wrong-answer"
    assert (bench.list_things(), host(bench).serving_config) == (before, model)


def test_component_that_runs_another_image_than_ours_is_a_failure() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)

    def change_image() -> None:
        moving = bench.account.endpoints[ENDPOINT]
        moving.settle()
        assert moving.state is not None
        bench.account.put_endpoint(dataclasses.replace(moving.state, images=("repository@sha256:other",)))

    bench.clock = ActingClock(sleeps=3, act=change_image)
    bench.account.usual = Course(looks=5)
    with pytest.raises(DockyardError, match="and not the image that was built"):
        run(bench, 2, component=COMPONENT)


def test_component_that_failed_is_replaced_by_the_next_deploy() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)
    there = host(bench)
    assert there.component is not None
    failed = dataclasses.replace(there.component, status=ComponentStatus.FAILED)
    bench.account.put_endpoint(dataclasses.replace(there, component=failed))
    bench.faults.calls.clear()
    run(bench, 1, component=COMPONENT)
    assert list_calls(bench) == ["delete_component", "create_component"]
    assert bench.serving_version() == "1"


def test_endpoint_that_failed_goes_with_its_component() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)
    bench.account.put_endpoint(dataclasses.replace(host(bench), status=EndpointStatus.FAILED))
    bench.faults.calls.clear()
    run(bench, 2, component=COMPONENT)
    assert [call for call in list_calls(bench) if "endpoint" in call or call.endswith("component")] == [
        "delete_component",
        "delete_endpoint",
        "create_endpoint",
        "create_component",
    ]
    assert (bench.serving_version(), bench.account.refusals) == ("2", [])


def test_who_does_not_wait_leaves_the_copies_to_start_and_the_same_command_goes_on() -> None:
    bench = make_hosted()
    policy = SageMakerPolicy(wait=False)
    run(bench, 1, component=COMPONENT, policy=policy)
    assert bench.record_status(1) is RecordStatus.DEPLOYING
    assert bench.site.plan_cleanup(KEY) == ()
    run(bench, 1, component=COMPONENT)
    assert (bench.serving_version(), bench.list_recorded()) == ("1", ["1"])
    run(bench, 2, component=COMPONENT, policy=policy)
    assert bench.site.plan_cleanup(KEY) == ()
    bench.faults.calls.clear()
    run(bench, 2, component=COMPONENT)
    assert "create_model" not in list_calls(bench)
    assert (bench.serving_version(), bench.list_recorded()) == ("2", ["2"])


def test_control_c_stops_the_waiting_and_nothing_else() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)
    bench.account.usual = Course(looks=20)
    bench.clock = ActingClock(sleeps=5, act=press_control_c)
    with pytest.raises(DetachedError, match="goes on to revision 2"):
        run(bench, 2, component=COMPONENT)
    assert "component wine" in bench.list_things()
    run(bench, 2, component=COMPONENT)
    assert bench.serving_version() == "2"


def test_sleeping_component_gets_one_copy_for_the_proof_and_does_not_answer_before() -> None:
    policy = SageMakerPolicy(scaling=Scaling(minimum=0, maximum=3, invocations_per_instance=10))
    bench = make_hosted(policy=policy)
    run(bench, 1, component=COMPONENT, policy=policy)
    MemoryComponents(account=bench.account).scale(ENDPOINT, 0)
    assert run(bench, 1, component=COMPONENT, policy=policy).status is ResultStatus.UNCHANGED
    run(bench, 2, component=COMPONENT, policy=policy)
    component = host(bench).component
    assert component is not None
    assert (component.copies, bench.account.scaling[ENDPOINT]) == (1, policy.scaling)


def test_endpoint_that_stays_as_it_is_gets_no_call_for_another_kind() -> None:
    bench = make_hosted()
    run(bench, 1)
    bench.faults.calls.clear()
    with pytest.raises(DockyardError, match="has a model of its own") as caught:
        run(bench, 1, component=COMPONENT)
    assert (caught.value.code, list_calls(bench)) == ("endpoint-kind-differs", [])
    assert not isinstance(bench.endpoint, HostEndpoint)


def test_what_is_said_of_it() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)
    seen = bench.account.describe_deployment(KEY)
    assert seen.capacity == "1 x ml.m5.large, 1 x 1024 MB of it"


def test_component_of_somebody_else_is_neither_changed_nor_deleted() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)

    model = host(bench).serving_config

    def take_over() -> None:
        bench.account.put_endpoint(dataclasses.replace(host(bench), owner="prod/beer"))

    bench.account.strangers["create_model"] = take_over
    with pytest.raises(DockyardError) as caught:
        run(bench, 2, component=COMPONENT)
    assert caught.value.code == "endpoint-not-ours"
    assert (host(bench).serving_config, host(bench).owner) == (model, "prod/beer")


def test_component_that_somebody_else_begins_to_update_is_waited_for_and_then_planned_anew() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)
    run(bench, 3, component=COMPONENT)
    first = next(name for name, model in bench.account.models.items() if model.spec.model.version == "1")

    def update() -> None:
        there = host(bench)
        assert there.component is not None
        moving = dataclasses.replace(there.component, status=ComponentStatus.UPDATING)
        after = dataclasses.replace(there.component, model=first, images=(bench.account.models[first].image,))
        phases = [
            Phase(state=dataclasses.replace(there, component=one), looks=looks) for one, looks in ((moving, 4), (after, None))
        ]
        bench.account.begin(ENDPOINT, phases)

    bench.account.strangers["update_component"] = update
    run(bench, 2, component=COMPONENT)
    assert (bench.serving_version(), bench.list_recorded(), bench.account.refusals) == ("2", ["2"], [])


def test_component_on_an_endpoint_that_aws_maintains_is_updated_when_that_is_over() -> None:
    bench = make_hosted()
    run(bench, 1, component=COMPONENT)

    def maintain() -> None:
        there = host(bench)
        busy = dataclasses.replace(there, status=EndpointStatus.SYSTEM_UPDATING)
        bench.account.begin(ENDPOINT, [Phase(state=busy, looks=4), Phase(state=there)])

    bench.account.strangers["update_component"] = maintain
    run(bench, 2, component=COMPONENT)
    assert bench.serving_version() == "2"
