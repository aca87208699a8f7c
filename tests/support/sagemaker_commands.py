"""Owns the commands that faults are tried on: what is there before, and what is then called."""

from __future__ import annotations

from collections.abc import Callable

from dockyard.domain.errors import NotFoundError
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import AlarmPolicy, ModelDelivery, SageMakerPolicy, Scaling
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_package import PackagePolicy
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.deploy import deploy
from dockyard.usecases.rollback import roll_back
from support.sagemaker_bench import DELETE, ROLLBACK, SageMakerBench, want
from support.sagemaker_values import KEY

POLICY = SageMakerPolicy(alarms=AlarmPolicy(), scaling=Scaling(minimum=1, maximum=3), package=PackagePolicy(group="wine"))


def make_bench(*versions: int, component: Component | None = None) -> SageMakerBench:
    """A bench where these versions were deployed, one after the other."""
    bench = SageMakerBench(policy=POLICY, component=component)
    for version in versions:
        deploy_version(bench, version)
    bench.account.history.clear()
    return bench


def deploy_version(bench: SageMakerBench, version: int) -> ResultStatus:
    """Deploy with all that a deployment may have: alarms, scaling, packages, model data, a role of its own."""
    data = {"delivery": ModelDelivery.PREFIX, "bucket": "s3://bucket/models"}
    request = want(version, policy=POLICY, component=bench.component, **data)
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


def list_points(command: str, component: Component | None = None) -> list[tuple[int, str]]:
    """The changing calls of a command, numbered from 1 on."""
    versions, act = COMMANDS[command]
    bench = make_bench(*versions, component=component)
    bench.faults.calls.clear()
    act(bench)
    return list(enumerate((call.split()[0] for call in bench.faults.calls), start=1))


def assert_same_end(bench: SageMakerBench, command: str) -> None:
    """All is as if the command had been called once, and nothing had happened."""
    versions, act = COMMANDS[command]
    expected = make_bench(*versions, component=bench.component)
    act(expected)
    assert bench.list_things() == expected.list_things()
    assert bench.serving_version() == expected.serving_version()
    assert bench.list_recorded() == expected.list_recorded()
    assert (bench.account.list_orphans(), bench.site.plan_cleanup(KEY)) == ((), ())
    assert (bench.account.refusals, bench.queue.list_entries()) == ([], ())
    if command != "delete":
        assert_served_throughout(bench, {*map(str, versions), bench.serving_version()} if versions else None)


def assert_served_throughout(bench: SageMakerBench, versions: set[str | None] | None) -> None:
    """In every state that the endpoint has been in, one of these versions served."""
    parts = bench.account.models
    for state in bench.account.history if versions else ():
        assert state.serving_config is not None
        assert parts[state.serving_config].spec.model.version in (versions or ())
