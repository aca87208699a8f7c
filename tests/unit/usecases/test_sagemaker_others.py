"""The other verbs on SageMaker, on an account in memory: rollback, delete, status, drift, gc."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.deployment import RevisionStatus
from dockyard.domain.errors import NotFoundError
from dockyard.domain.observed import DeploymentState
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    EndpointStatus,
    ModelDelivery,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    Scaling,
)
from dockyard.testing.endpoints import Course
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.drift import describe_drift
from dockyard.usecases.gc import collect_garbage
from dockyard.usecases.rollback import roll_back
from dockyard.usecases.status import describe_status
from support.sagemaker_bench import DELETE, NO_WAIT, ONE, ROLLBACK, SageMakerBench, list_calls, list_without_images, run
from support.sagemaker_values import ENDPOINT, KEY


@pytest.fixture
def bench() -> SageMakerBench:
    return SageMakerBench()


def test_rollback_is_one_update(bench: SageMakerBench) -> None:
    run(bench, 1)
    run(bench, 2)
    bench.faults.calls.clear()
    result = roll_back(bench.open(), ROLLBACK, plan_only=False)
    assert (result.status, result.revision, bench.serving_version()) == (ResultStatus.ROLLED_BACK, 1, "1")
    assert list_calls(bench) == ["update_endpoint"]
    assert bench.list_recorded() == ["1"]


def test_rollback_needs_no_image_at_hand(bench: SageMakerBench) -> None:
    run(bench, 1)
    run(bench, 2)
    for revision in bench.account.describe_deployment(KEY).revisions:
        bench.images.delete_image(revision.spec.fingerprint)
    assert roll_back(bench.open(), ROLLBACK, plan_only=False).status is ResultStatus.ROLLED_BACK


def test_rollback_takes_rollout_and_alarms_from_the_environment(bench: SageMakerBench) -> None:
    policy = SageMakerPolicy(
        rollout=Rollout(kind=RolloutKind.CANARY), alarms=AlarmPolicy(), scaling=Scaling(minimum=1, maximum=2)
    )
    bench.policy = policy
    run(bench, 1, policy=policy)
    run(bench, 2, policy=policy)
    step = roll_back(bench.open(), ROLLBACK, plan_only=True).plan.steps[0]
    assert (step.rollout.kind, step.alarms, step.keeps_counts) == (RolloutKind.CANARY, AlarmPolicy(), True)  # type: ignore[union-attr]
    assert step.describe() == f"update endpoint {ENDPOINT} to revision 1 (canary, 10 %)"


def test_delete_takes_all_away_and_says_so(bench: SageMakerBench) -> None:
    policy = SageMakerPolicy(alarms=AlarmPolicy(), scaling=Scaling(minimum=1, maximum=2))
    for version in (1, 2):
        run(bench, version, policy=policy, delivery=ModelDelivery.ARCHIVE, bucket="s3://bucket")
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED
    assert bench.list_things() == []
    assert (bench.record_status(1), bench.record_status(2)) == (RecordStatus.SUPERSEDED, RecordStatus.DELETED)
    with pytest.raises(NotFoundError):
        delete_deployment(bench.open(), DELETE, plan_only=False)


def test_delete_while_the_registry_is_away_is_done_and_recorded_later(bench: SageMakerBench) -> None:
    run(bench, 1)
    bench.registry.is_reachable = False
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.PARTIAL
    assert bench.list_things() == []
    assert len(bench.queue.list_entries()) == 1


def test_delete_while_it_is_created_waits_until_it_may(bench: SageMakerBench) -> None:
    run(bench, policy=NO_WAIT)
    assert bench.endpoint.status is EndpointStatus.CREATING
    assert delete_deployment(bench.open(), DELETE, plan_only=False).status is ResultStatus.DELETED
    assert (bench.list_things(), bench.account.refusals) == ([], [])


def test_role_that_was_deleted_is_made_again(bench: SageMakerBench) -> None:
    run(bench, 1)
    run(bench, 2)
    bench.account.roles.clear()
    assert roll_back(bench.open(), ROLLBACK, plan_only=False).status is ResultStatus.ROLLED_BACK
    assert "role dockyard-wine" in bench.list_things()


def test_status_tells_what_the_endpoint_does_and_runs_on(bench: SageMakerBench) -> None:
    run(bench, 1)
    row = describe_status(bench.open(), None, None).rows[0]
    assert (row.state, row.endpoint, row.revision, row.revisions) == (DeploymentState.SERVING, ENDPOINT, 1, (1,))
    assert (row.capacity, row.is_recorded) == ("1 x ml.m5.large", True)
    assert bench.site.describe(KEY).revisions[0].status is RevisionStatus.READY


def test_drift_is_nothing_after_a_deploy_and_tells_what_is_missing(bench: SageMakerBench) -> None:
    run(bench, 1)
    assert describe_drift(bench.open(), KEY).deployments[0].plan is not None
    assert describe_drift(bench.open(), KEY).deployments[0].plan.is_empty  # type: ignore[union-attr]
    bench.policy = SageMakerPolicy(alarms=AlarmPolicy())
    plan = describe_drift(bench.open(), KEY).deployments[0].plan
    assert plan is not None
    assert [step.type for step in plan.steps] == ["PutAlarms", "WriteRecord"]


def test_gc_removes_what_a_killed_deploy_left_and_not_what_is_on_its_way(bench: SageMakerBench) -> None:
    run(bench, 1)
    bench.account.usual = Course(looks=100)
    run(bench, 2, policy=NO_WAIT)
    before = bench.list_things()
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert bench.list_things() == before
    bench.account.put_endpoint(dataclasses.replace(bench.endpoint, status=EndpointStatus.IN_SERVICE, pending_config=None))
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert list_without_images(bench) == ONE


def test_gc_does_not_touch_an_endpoint_that_is_being_created(bench: SageMakerBench) -> None:
    bench.account.usual = Course(looks=100)
    run(bench, 1, policy=NO_WAIT)
    before = bench.list_things()
    collect_garbage(bench.open(), cache_days=30, plan_only=False)
    assert (bench.list_things(), bench.account.refusals) == (before, [])


def test_gc_removes_the_supplies_of_a_deployment_that_never_was(bench: SageMakerBench) -> None:
    run(bench, 1)
    del bench.account.endpoints[ENDPOINT]
    bench.account.served.clear()
    assert collect_garbage(bench.open(), cache_days=30, plan_only=False).failures == ()
    assert bench.list_things() == []
