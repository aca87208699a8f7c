"""SageMaker's model registry: groups, versions, approval, and models made of a version."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from support.sandbox_control import IMAGE, ControlBench, read_error

PREFIX = "arn:aws:sagemaker:us-east-1:123456789012:"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "Environment": {"A": "1"}}],
    "SupportedContentTypes": ["application/json"],
    "SupportedResponseMIMETypes": ["application/json"],
}


def make_package(bench: ControlBench, **more: object) -> str:
    """A version in group `g`."""
    answer = bench.call("CreateModelPackage", ModelPackageGroupName="g", InferenceSpecification=SPECIFICATION, **more)
    return answer.text("ModelPackageArn")


@pytest.fixture
def registry(bench: ControlBench) -> ControlBench:
    """A bench with a group."""
    bench.call("CreateModelPackageGroup", ModelPackageGroupName="g", ModelPackageGroupDescription="über; all")
    return bench


def test_versions_count_up_and_complete(registry: ControlBench) -> None:
    assert make_package(registry) == f"{PREFIX}model-package/g/1"
    arn = make_package(registry)
    deadline = time.monotonic() + 10
    while (package := registry.call("DescribeModelPackage", ModelPackageName=arn)).text("ModelPackageStatus") != "Completed":
        assert time.monotonic() < deadline
    assert (package.whole("ModelPackageVersion"), package.text("ModelApprovalStatus")) == (2, "PendingManualApproval")
    assert package["InferenceSpecification"] == SPECIFICATION


def test_version_of_a_deleted_package_is_not_used_again(registry: ControlBench) -> None:
    registry.call("DeleteModelPackage", ModelPackageName=make_package(registry))
    assert make_package(registry).endswith("/2")


def test_repeated_call_with_its_token_makes_nothing_new(registry: ControlBench) -> None:
    assert make_package(registry, ClientToken="t-1") == make_package(registry, ClientToken="t-1")
    assert len(registry.call("ListModelPackages", ModelPackageGroupName="g").items_of("ModelPackageSummaryList")) == 1


def test_approval_and_properties_change(registry: ControlBench) -> None:
    arn = make_package(registry, CustomerMetadataProperties={"a": "1", "b": "2"})
    registry.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    package = registry.call("DescribeModelPackage", ModelPackageName=arn)
    assert package["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert (package.text("ModelApprovalStatus"), package.text("ApprovalDescription")) == ("Approved", "good")
    found = registry.call("ListModelPackages", ModelPackageGroupName="g", ModelApprovalStatus="Approved")
    (listed,) = found.items_of("ModelPackageSummaryList")
    assert listed.text("ModelPackageArn") == arn
    assert "ModelPackageName" not in listed  # as on AWS, where clients that go by it find nothing
    registry.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["b", "c"])
    assert "CustomerMetadataProperties" not in registry.call("DescribeModelPackage", ModelPackageName=arn)


def test_group_with_packages_is_not_deleted(registry: ControlBench) -> None:
    arn = make_package(registry)
    with pytest.raises(ClientError) as caught:
        registry.call("DeleteModelPackageGroup", ModelPackageGroupName="g")
    assert read_error(caught.value)[0] == "ConflictException"
    registry.call("DeleteModelPackage", ModelPackageName=arn)
    registry.call("DeleteModelPackageGroup", ModelPackageGroupName="g")
    with pytest.raises(ClientError) as caught:
        registry.call("DescribeModelPackageGroup", ModelPackageGroupName="g")
    assert read_error(caught.value)[1] == f"ModelPackageGroup {PREFIX}model-package-group/g does not exist."


def test_group_is_not_made_twice(registry: ControlBench) -> None:
    with pytest.raises(ClientError) as caught:
        registry.call("CreateModelPackageGroup", ModelPackageGroupName="g")
    assert read_error(caught.value)[1] == f"ModelPackageGroup already exists: {PREFIX}model-package-group/g"


def test_model_of_a_package_runs_the_packages_container(registry: ControlBench) -> None:
    arn = make_package(registry)
    registry.call("CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": arn, "Environment": {"B": "2"}})
    registry.make_config()
    registry.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert registry.wait().text("EndpointStatus") == "InService"
    environment = registry.runner.started[0].environment
    assert (environment["A"], environment["B"]) == ("1", "2")


def test_tags_of_a_package_are_its_own(registry: ControlBench) -> None:
    arn = make_package(registry)
    registry.call("AddTags", ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert registry.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
