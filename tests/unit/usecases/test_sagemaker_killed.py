"""Whatever is killed when, on SageMaker: the same command again completes, nothing is orphaned, and the old revision serves.

A kill is a KilledError at any changing call of account, image store or journal, before or after its effect, after which
nothing that the command still tries has any.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dockyard.domain.errors import NotFoundError
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import AlarmPolicy, ModelDelivery, SageMakerPolicy, Scaling
from dockyard.testing.faults import KilledError
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.deploy import deploy
from dockyard.usecases.rollback import roll_back
from support.sagemaker_bench import DELETE, ROLLBACK, SageMakerBench, want
from support.sagemaker_values import KEY

POLICY = SageMakerPolicy(alarms=AlarmPolicy(), scaling=Scaling(minimum=1, maximum=3))


def make_bench(*versions: int) -> SageMakerBench:
    bench = SageMakerBench(policy=POLICY)
    for version in versions:
        deploy_version(bench, version)
    bench.account.history.clear()
    return bench


def deploy_version(bench: SageMakerBench, version: int) -> ResultStatus:
    request = want(version, policy=POLICY, delivery=ModelDelivery.PREFIX, bucket="s3://bucket/models")
    return deploy(bench.open(), request, plan_only=False).status


def roll_back_to_first(bench: SageMakerBench) -> ResultStatus:
    """Where it was killed after it was done, the second time there is nothing earlier to go back to."""
    try:
        return roll_back(bench.open(), ROLLBACK, plan_only=False).status
    except NotFoundError as error:
        assert error.code == "no-revision"
        return deploy_version(bench, 1)


def delete(bench: SageMakerBench) -> ResultStatus:
    """Where it was killed after all was gone, the second time there is nothing to delete."""
    try:
        return delete_deployment(bench.open(), DELETE, plan_only=False).status
    except NotFoundError as error:
        assert error.code == "deployment-not-found"
        return ResultStatus.DELETED


COMMANDS: dict[str, tuple[tuple[int, ...], Callable[[SageMakerBench], ResultStatus]]] = {
    "create": ((), lambda bench: deploy_version(bench, 1)),
    "update": ((1,), lambda bench: deploy_version(bench, 2)),
    "rollback": ((1, 2), roll_back_to_first),
    "delete": ((1, 2), delete),
}


def list_calls(command: str) -> list[str]:
    versions, act = COMMANDS[command]
    bench = make_bench(*versions)
    bench.faults.calls.clear()
    act(bench)
    return [*bench.faults.calls]


POINTS = [
    pytest.param(command, number, has_effect, id=f"{command}-{number}-{call.split()[0]}-{'after' if has_effect else 'before'}")
    for command in COMMANDS
    for number, call in enumerate(list_calls(command), start=1)
    for has_effect in (False, True)
]


@pytest.mark.parametrize(("command", "call", "has_effect"), POINTS)
def test_command_killed_at_any_call_is_completed_by_the_same_command(command: str, call: int, *, has_effect: bool) -> None:
    versions, act = COMMANDS[command]
    expected = make_bench(*versions)
    act(expected)
    bench = make_bench(*versions)
    bench.fail_call(call, KilledError(), has_effect=has_effect)
    with pytest.raises(KilledError):
        act(bench)
    bench.heal()
    assert act(bench) in {*ResultStatus} - {ResultStatus.PARTIAL, ResultStatus.PLANNED}
    assert bench.list_things() == expected.list_things()
    assert bench.serving_version() == expected.serving_version()
    assert bench.list_recorded() == expected.list_recorded()
    assert (bench.account.list_orphans(), bench.site.plan_cleanup(KEY)) == ((), ())
    assert bench.account.refusals == []
    assert bench.queue.list_entries() == ()
    if command != "delete":
        assert_served_throughout(bench, {*map(str, versions), bench.serving_version()} if versions else None)


def assert_served_throughout(bench: SageMakerBench, versions: set[str | None] | None) -> None:
    """In every state that the endpoint has been in, one of these versions served."""
    parts = bench.account.configs
    for state in bench.account.history if versions else ():
        assert state.serving_config is not None
        assert parts[state.serving_config].spec.model.version in (versions or ())
