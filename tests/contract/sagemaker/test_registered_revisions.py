"""Revisions in SageMaker Model Registry: Dockyard's commands on the sandbox, and what the account itself says then."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dockyard.domain.record import DeploymentRecord
from dockyard.domain.result import ResultStatus
from dockyard.domain.sagemaker import ModelDelivery, SageMakerPolicy, SageMakerSettings
from dockyard.domain.sagemaker_package import Approval, PackagePolicy
from dockyard.usecases.drift import describe_drift
from dockyard_sandbox.faults import Rule
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_scene import SETTINGS, Scene
from support.sagemaker_things import Eyes

pytestmark = pytest.mark.process

BARE = SageMakerPolicy(timeout_seconds=600)


def register_in(group: str, approval: Approval = Approval.PENDING) -> SageMakerPolicy:
    """A policy that registers revisions."""
    return dataclasses.replace(BARE, package=PackagePolicy(group=group, approval=approval))


@pytest.fixture
def scene(sagemaker_cloud: SageMakerCloud) -> Scene:
    """A deployment whose group is called as the tests' eyes expect it."""
    sagemaker_cloud.script()
    found = sagemaker_cloud.make_scene()
    found.policy = register_in(name_group(found))
    return found


def name_group(scene: Scene) -> str:
    """The deployment's own."""
    return f"group-{scene.name}"


def list_versions(cloud: SageMakerCloud, group: str) -> list[dict[str, Any]]:
    """What is in a group, oldest first, as the service describes it."""
    client = cloud.eyes.client("sagemaker")
    found = client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    arns = sorted((one["ModelPackageArn"] for one in found), key=lambda arn: int(arn.rpartition("/")[2]))
    return [client.describe_model_package(ModelPackageName=arn) for arn in arns]


def find_record(scene: Scene, version: int) -> DeploymentRecord:
    """The record on a model version."""
    record = scene.local.registry.find_record(scene.key, scene.resolve(version))
    assert record is not None
    return record


def test_version_and_model_version_lead_to_each_other(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    settings = SageMakerSettings(role="", env=(("LEVEL", "high"),), tags=(("team", "wine"),))
    scene.deploy(1, settings=settings)
    (package,) = list_versions(sagemaker_cloud, name_group(scene))
    assert find_record(scene, 1).model_package == package["ModelPackageArn"]
    model = scene.resolve(1)
    revision = scene.observe().serving_revision
    assert revision is not None
    properties = package["CustomerMetadataProperties"]
    assert {name.removeprefix("dockyard:"): value for name, value in properties.items()} == {
        "environment": "sagemaker",
        "deployment": scene.name,
        "revision": "1",
        "revision-name": revision.name,
        "model-name": "wine",
        "model-version": "1",
        "model-digest": model.digest,
        "fingerprint": revision.spec.fingerprint,
    } | {
        f"model-{name}" if name == "registry" else name: value
        for name, value in (("model-id", model.model_id), ("run-id", model.run_id), ("registry", model.registry))
        if value
    }
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["InferenceSpecification"] == {
        "Containers": [{"Image": revision.image, "Environment": {"LEVEL": "high"}}],
        "SupportedContentTypes": ["application/json", "text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    scene.delete()


@pytest.mark.parametrize("delivery", [ModelDelivery.ARCHIVE, ModelDelivery.PREFIX])
def test_version_names_the_model_data(sagemaker_cloud: SageMakerCloud, scene: Scene, delivery: ModelDelivery) -> None:
    scene.policy = register_in(name_group(scene), Approval.APPROVED)
    scene.local.refer(1)
    (scene.local.models / "1" / "MLmodel").write_text("flavors: {}")
    scene.deploy(1, settings=dataclasses.replace(SETTINGS, delivery=delivery))
    (package,) = list_versions(sagemaker_cloud, name_group(scene))
    (container,) = package["InferenceSpecification"]["Containers"]
    revision = scene.observe().serving_revision
    assert revision is not None
    source = container.get("ModelDataUrl") or container["ModelDataSource"]["S3DataSource"]["S3Uri"]
    assert f"/{revision.name}/" in source
    assert package["ModelApprovalStatus"] == "Approved"
    scene.delete()


def test_update_makes_a_second_version_rollback_none_and_delete_leaves_nothing(
    sagemaker_cloud: SageMakerCloud, scene: Scene
) -> None:
    group, eyes = name_group(scene), Eyes(session=sagemaker_cloud.eyes, endpoint=scene.endpoint)
    scene.deploy(1)
    scene.deploy(2)
    arns = [one["ModelPackageArn"] for one in list_versions(sagemaker_cloud, group)]
    assert [arn.rpartition("/")[2] for arn in arns] == ["1", "2"]
    assert find_record(scene, 2).model_package == arns[1]
    sagemaker_cloud.sandbox.calls.clear()
    assert scene.deploy(2).status is ResultStatus.UNCHANGED
    assert sagemaker_cloud.list_calls() == []
    scene.roll_back()
    assert [one["ModelPackageArn"] for one in list_versions(sagemaker_cloud, group)] == arns
    assert (find_record(scene, 1).model_package, find_record(scene, 2).model_package) == (arns[0], None)
    scene.delete()
    assert eyes.list_things() == []
    assert find_record(scene, 1).model_package is None


def test_refusal_takes_nothing_back_and_the_same_command_completes(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    for call in ("AddTags", "CreateModelPackageGroup", "CreateModelPackage"):
        nth = 2 if call == "AddTags" else 1  # the first one notes that the revision serves
        rule = Rule(kind="access-denied", service="sagemaker", operation=call, nth=nth, times=1)
        sagemaker_cloud.script(rule)
        result = scene.deploy(1)
        sagemaker_cloud.script()
        assert result.status is ResultStatus.PARTIAL
        assert "not authorized" in result.failures[0].message
        assert (scene.observe().serving, find_record(scene, 1).model_package) == (1, None)
        assert scene.deploy(1).status is not ResultStatus.PARTIAL
        (package,) = list_versions(sagemaker_cloud, name_group(scene))
        assert find_record(scene, 1).model_package == package["ModelPackageArn"]
        scene.delete()


@pytest.mark.parametrize("late", [0, 2])
@pytest.mark.parametrize("kind", ["error-after", "reset-after"])
def test_lost_answers_make_no_second_version(sagemaker_cloud: SageMakerCloud, scene: Scene, kind: str, late: float) -> None:
    # Every call has its effect and none is answered, however often the SDK and Dockyard try. What is made is seen late.
    lost = Rule(kind=kind, service="sagemaker", operation="CreateModelPackage", times=0)
    sagemaker_cloud.script(lost, Rule(kind="consistency", resources=("model-package",), seconds=late))
    assert scene.deploy(1).status is (ResultStatus.PARTIAL if late else ResultStatus.DEPLOYED)
    sagemaker_cloud.script()
    assert scene.deploy(1).status is not ResultStatus.PARTIAL
    (package,) = list_versions(sagemaker_cloud, name_group(scene))
    assert package["ModelPackageVersion"] == 1
    scene.delete()


def test_version_that_is_not_seen_yet_is_deleted_all_the_same(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    lost = Rule(kind="reset-after", service="sagemaker", operation="CreateModelPackage", times=0)
    sagemaker_cloud.script(lost, Rule(kind="consistency", resources=("model-package",), seconds=2))
    scene.deploy(1)
    sagemaker_cloud.script()
    assert scene.delete().status is ResultStatus.DELETED
    assert Eyes(session=sagemaker_cloud.eyes, endpoint=scene.endpoint).list_things() == []


def test_version_that_somebody_deletes_is_drift_and_made_again(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    group = name_group(scene)
    scene.deploy(1)
    client = sagemaker_cloud.eyes.client("sagemaker")
    client.delete_model_package(ModelPackageName=find_record(scene, 1).model_package)
    (drift,) = describe_drift(scene.open(), scene.key).deployments
    assert drift.plan is not None
    assert [step.type for step in drift.plan.steps] == ["RegisterPackage", "WriteRecord"]
    scene.deploy(1)
    (package,) = list_versions(sagemaker_cloud, group)
    assert package["ModelPackageVersion"] == 2
    assert find_record(scene, 1).model_package == package["ModelPackageArn"]
    scene.delete()


def test_group_of_somebody_else_and_versions_in_it_stay(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    group, client = name_group(scene), sagemaker_cloud.eyes.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName=group)
    scene.deploy(1)
    assert len(list_versions(sagemaker_cloud, group)) == 1
    scene.delete()
    assert list_versions(sagemaker_cloud, group) == []
    client.describe_model_package_group(ModelPackageGroupName=group)
    client.delete_model_package_group(ModelPackageGroupName=group)


def test_group_of_the_deployment_that_others_use_stays(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    group, client = name_group(scene), sagemaker_cloud.eyes.client("sagemaker")
    scene.deploy(1)
    (ours,) = list_versions(sagemaker_cloud, group)
    theirs = client.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=ours["InferenceSpecification"], ModelPackageDescription="theirs"
    )["ModelPackageArn"]
    assert scene.delete().status is ResultStatus.DELETED
    assert [one["ModelPackageArn"] for one in list_versions(sagemaker_cloud, group)] == [theirs]
    client.delete_model_package(ModelPackageName=theirs)
    client.delete_model_package_group(ModelPackageGroupName=group)


def test_option_that_comes_changes_and_goes_makes_no_new_revision(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    registered, eyes = scene.policy, Eyes(session=sagemaker_cloud.eyes, endpoint=scene.endpoint)
    scene.policy = BARE
    scene.deploy(1)
    scene.policy = registered
    assert [step.type for step in scene.deploy(1).plan.steps] == ["RegisterPackage", "WriteRecord"]
    other = f"{name_group(scene)}-Other"
    scene.policy = register_in(other)
    assert scene.deploy(1).revision == 1
    assert list_versions(sagemaker_cloud, name_group(scene)) == []
    (package,) = list_versions(sagemaker_cloud, other)
    assert find_record(scene, 1).model_package == package["ModelPackageArn"]
    scene.policy = BARE
    assert scene.deploy(1).status is ResultStatus.UNCHANGED
    assert len(list_versions(sagemaker_cloud, other)) == 1
    scene.delete()
    assert eyes.list_things() == []
    assert list_versions(sagemaker_cloud, other) == []


def test_nothing_is_asked_of_the_model_registry_without_the_option(sagemaker_cloud: SageMakerCloud, scene: Scene) -> None:
    scene.policy = BARE
    sagemaker_cloud.sandbox.calls.clear()
    scene.deploy(1)
    scene.delete()
    assert [call for call in sagemaker_cloud.list_calls(mutating=False) if "ModelPackage" in call] == []
