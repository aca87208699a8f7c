"""Two machines deploy to one endpoint at once, where no lock of either holds the other: nothing that serves is taken away."""

from __future__ import annotations

import pytest

from dockyard.domain.errors import DockyardError
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import EndpointStatus
from dockyard.usecases.gc import collect_garbage
from support.sagemaker_bench import NO_WAIT, SageMakerBench, run
from support.sagemaker_values import KEY

CREATION = (
    "create_repository",
    "create_role",
    "create_model",
    "create_endpoint_config",
    "create_endpoint",
    "mark_served",
)
UPDATE = ("create_model", "create_endpoint_config", "update_endpoint", "mark_served")


def open_other_machine(bench: SageMakerBench) -> SageMakerBench:
    """Another machine with the same account and registry, and its own locks and journal."""
    other = SageMakerBench(faults=bench.faults, registry=bench.registry, clock=bench.clock)
    other.account, other.images, other.scorer = bench.account, bench.images, bench.scorer
    return other


def assert_whole(bench: SageMakerBench) -> None:
    """What the endpoint runs is all there."""
    account = bench.account
    assert bench.serving_version() is not None
    assert account.models[bench.endpoint.config].image in bench.images.pushed.values()
    assert account.roles
    assert account.repositories


@pytest.mark.parametrize("version", [1, 3])
@pytest.mark.parametrize(("before", "call"), [*((None, one) for one in CREATION), *((2, one) for one in UPDATE)])
def test_deploy_of_another_machine_in_the_middle_of_ours_leaves_one_of_both(
    before: int | None, call: str, version: int
) -> None:
    bench = SageMakerBench()
    other = open_other_machine(bench)
    if before is not None:
        run(bench, before)
    statuses: list[ResultStatus] = []
    bench.account.strangers[call] = lambda: statuses.append(run(other, version).status)
    try:
        run(bench, 1)
    except DockyardError as error:
        assert error.exit_code == 1
    assert len(statuses) == 1
    assert not any("role or images" in refusal for refusal in bench.account.refusals)
    assert_whole(bench)
    assert bench.serving_version() in {"1", str(version)}
    assert run(bench, 1).status in {ResultStatus.DEPLOYED, ResultStatus.UNCHANGED}
    assert_whole(bench)
    assert (bench.serving_version(), bench.list_recorded()) == ("1", ["1"])
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert (bench.account.list_orphans(), bench.site.plan_cleanup(KEY)) == ((), ())
    assert_whole(bench)


def test_same_deploy_from_two_machines_waits_for_one_rollout() -> None:
    bench = SageMakerBench()
    other = open_other_machine(bench)
    statuses: list[ResultStatus] = []
    run(bench, 1)
    bench.account.history.clear()
    bench.account.strangers["update_endpoint"] = lambda: statuses.append(run(other, 2, policy=NO_WAIT).status)
    assert run(bench, 2).status is ResultStatus.DEPLOYED
    assert statuses == [ResultStatus.STARTED]
    states = [state.status for state in bench.account.history]
    assert states.count(EndpointStatus.UPDATING) == 1
    assert (bench.serving_version(), bench.list_recorded()) == ("2", ["2"])
