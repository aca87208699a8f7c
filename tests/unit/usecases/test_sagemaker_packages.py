"""Revisions that are registered in SageMaker Model Registry, in memory: what is recorded, and what a failure leaves."""

from __future__ import annotations

import dataclasses

import pytest

from dockyard.domain.errors import DockyardError
from dockyard.domain.record import RecordStatus
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import SageMakerPolicy
from dockyard.domain.sagemaker_package import Approval, PackagePolicy
from dockyard.domain.sagemaker_steps import RegisterPackage
from dockyard.testing.sagemaker_packages import Group
from dockyard.usecases.delete import delete_deployment
from dockyard.usecases.rollback import roll_back
from support.local_values import make_model
from support.sagemaker_bench import DELETE, ROLLBACK, SageMakerBench, list_calls, list_without_images, run
from support.sagemaker_values import KEY

PACKAGE = PackagePolicy(group="wines", approval=Approval.APPROVED)
POLICY = SageMakerPolicy(package=PACKAGE)
SECRET = "correct horse battery staple"


@pytest.fixture
def bench() -> SageMakerBench:
    return SageMakerBench(policy=POLICY)


def read_package(bench: SageMakerBench, version: int) -> str | None:
    """What the record on a model version tells."""
    record = bench.registry.find_record(KEY, make_model(version))
    return record.model_package if record else None


def list_versions(bench: SageMakerBench) -> list[str]:
    """ARNs in all groups, without what they have in common."""
    groups = bench.account.packages.groups.values()
    return sorted(arn.rpartition(":")[2] for group in groups for arn, _ in group.versions.values())


def fail_registering(bench: SageMakerBench) -> None:
    """Let the service refuse the next version."""
    planned = SageMakerBench()
    run(planned, policy=POLICY)
    number = next(n for n, one in enumerate(planned.faults.calls, start=1) if one.startswith("register_package"))
    bench.fail_call(number, DockyardError("aws-refused", "it says so"))


def test_record_names_the_version_while_the_revision_serves(bench: SageMakerBench) -> None:
    run(bench, 1, policy=POLICY)
    run(bench, 2, policy=POLICY)
    assert list_versions(bench) == ["model-package/wines/1", "model-package/wines/2"]
    assert (read_package(bench, 1), str(read_package(bench, 2))[-7:]) == (None, "wines/2")
    roll_back(bench.open(), ROLLBACK, plan_only=False)
    assert list_versions(bench) == ["model-package/wines/1", "model-package/wines/2"]
    assert (str(read_package(bench, 1))[-7:], read_package(bench, 2)) == ("wines/1", None)
    delete_deployment(bench.open(), DELETE, plan_only=False)
    assert (list_without_images(bench), read_package(bench, 1)) == ([], None)


def test_same_again_changes_nothing(bench: SageMakerBench) -> None:
    run(bench, policy=POLICY)
    bench.faults.calls.clear()
    assert run(bench, policy=POLICY).status is ResultStatus.UNCHANGED
    assert list_calls(bench) == []


def test_version_is_approved_as_the_policy_says(bench: SageMakerBench) -> None:
    run(bench, policy=POLICY)
    ((_, approval),) = bench.account.packages.groups["wines"].versions.values()
    assert approval is Approval.APPROVED


def test_refusal_leaves_the_revision_serving_and_the_same_command_completes(bench: SageMakerBench) -> None:
    fail_registering(bench)
    result = run(bench, policy=POLICY)
    assert result.status is ResultStatus.PARTIAL
    assert [one.code for one in result.failures] == ["cleanup-failed"]
    assert "it says so" in result.failures[0].message
    assert (bench.serving_version(), bench.record_status(1), read_package(bench, 1)) == ("1", RecordStatus.SERVING, None)
    bench.heal()
    bench.faults.calls.clear()
    assert [step.type for step in run(bench, policy=POLICY).plan.steps] == ["RegisterPackage", "WriteRecord"]
    assert list_calls(bench) == ["register_package"]
    assert read_package(bench, 1) is not None


def test_record_names_no_version_that_could_not_be_moved(bench: SageMakerBench) -> None:
    run(bench, policy=POLICY)
    bench.fail_call(2, DockyardError("aws-refused", "it says so"))  # the first call is the journal's
    result = run(bench, policy=SageMakerPolicy(package=PackagePolicy(group="reds")))
    assert (result.status, read_package(bench, 1)) == (ResultStatus.PARTIAL, None)
    bench.heal()
    run(bench, policy=POLICY)
    assert str(read_package(bench, 1)).endswith("wines/1")


def test_nothing_is_registered_before_it_serves(bench: SageMakerBench) -> None:
    policy = dataclasses.replace(POLICY, wait=False)
    run(bench, policy=policy)
    assert list_versions(bench) == []
    run(bench, policy=POLICY)
    assert list_versions(bench) == ["model-package/wines/1"]


def test_group_that_was_there_stays(bench: SageMakerBench) -> None:
    bench.account.packages.groups["wines"] = Group(owner=None)
    run(bench, policy=POLICY)
    delete_deployment(bench.open(), DELETE, plan_only=False)
    assert list_without_images(bench) == ["group wines"]


def test_version_goes_with_a_revision_that_is_too_old(bench: SageMakerBench) -> None:
    for version in (1, 2):
        run(bench, version, policy=POLICY, history_limit=1)
    assert list_versions(bench) == ["model-package/wines/2"]


def test_plan_that_is_kept_has_no_value_of_the_environment(bench: SageMakerBench) -> None:
    result = run(bench, policy=POLICY, env=(("TOKEN", SECRET),))
    assert any(isinstance(step, RegisterPackage) and SECRET in repr(step) for step in result.plan.steps)
    assert SECRET not in repr(bench.attempts)
