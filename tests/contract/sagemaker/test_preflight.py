"""Preflight through boto3 on an account of the sandbox: what is found, and which permissions finding it takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard.adapters.sagemaker.policies import Grantee, render_deployer_policy
from dockyard.adapters.sagemaker.preflight import SageMakerPreflight
from dockyard.adapters.sagemaker.prices import PriceBook
from dockyard.adapters.sagemaker.requests import render_all
from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import UsageError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.sagemaker import Account, AsyncInference, Instances, SageMakerPolicy, SageMakerSettings
from dockyard.domain.sagemaker_place import AwsAccess
from dockyard_sandbox.fields import as_fields
from dockyard_sandbox.policy import read_policy
from support.policies import take_away
from support.sandbox_cloud import REGION, CloudBench, open_cloud

pytestmark = pytest.mark.process
KEY = DeploymentKey(environment="sagemaker", name="wine", target=Target.SAGEMAKER)
ACCOUNT = Account(id="123456789012", region=REGION)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", opened.sandbox.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        opened.client("s3").create_bucket(Bucket="near")
        far = {"LocationConstraint": "eu-west-1"}
        opened.client("s3", "eu-west-1").create_bucket(Bucket="far", CreateBucketConfiguration=far)
        yield opened


@pytest.fixture
def preflight(cloud: CloudBench, tmp_path: Path) -> Iterator[SageMakerPreflight]:
    session = Session(AwsAccess(region=REGION))
    yield SageMakerPreflight(session, render_all, PriceBook(tmp_path))
    cloud.sandbox.guard.set_policy(None)
    for service in ("sts", "iam", "service-quotas", "ecr", "s3", "kms", "pricing"):
        session.client(service).close()


@pytest.fixture(scope="module")
def settings(cloud: CloudBench) -> SageMakerSettings:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    return SageMakerSettings(role=cloud.make_role(), bucket="s3://near/models", kms_key=key)


def find(findings: tuple[Finding, ...], code: str) -> Finding:
    return next(one for one in findings if one.code == code)


def obey(cloud: CloudBench, settings: SageMakerSettings, without: str = "") -> None:
    """From now on the deployer's own policy holds for every call, less an action."""
    policy = render_deployer_policy(Grantee(account=ACCOUNT, endpoint="wine"), settings)
    cloud.sandbox.guard.set_policy(read_policy(as_fields(take_away(policy, without))))


def test_account_that_is_ready_has_good_findings_only_and_nothing_is_changed(
    cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings
) -> None:
    before = len(cloud.sandbox.calls.list_calls())

    findings = preflight.examine(KEY, settings)

    assert [one for one in findings if one.severity is not Severity.OK] == []
    assert len(findings) == 9
    made = cloud.sandbox.calls.list_calls()[before:]
    assert made
    assert [call for call in made if call.site.mutating] == []


def test_permissions_of_the_deployer_suffice_for_every_look(
    cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings
) -> None:
    obey(cloud, settings)

    findings = (*preflight.examine(KEY, settings), preflight.refresh_prices())

    assert [one for one in findings if one.severity is not Severity.OK] == []


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("iam:GetRole", "execution-role"),
        ("iam:SimulatePrincipalPolicy", "permissions"),
        ("servicequotas:ListServiceQuotas", "quota"),
        ("ecr:DescribeRepositories", "image-repository"),
        ("s3:ListBucket", "bucket"),
        ("kms:DescribeKey", "kms-key"),
    ],
)
def test_look_that_is_not_permitted_is_a_warning_which_names_the_permission(
    cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings, action: str, code: str
) -> None:
    obey(cloud, settings, without=action)

    found = {one.code: one for one in preflight.examine(KEY, settings) if one.severity is not Severity.OK}

    assert set(found) == {code, "permissions"}
    assert found[code].severity is Severity.WARNING
    assert action in str(found[code].remedy)
    assert code == "permissions" or f" {action}" in found["permissions"].message


@pytest.mark.parametrize("action", ["sagemaker:CreateModel", "sagemaker:CreateEndpoint", "iam:PassRole"])
def test_permission_that_a_deployment_needs_is_an_error_before_anything_is_made(
    cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings, action: str
) -> None:
    obey(cloud, settings, without=action)

    found = find(preflight.examine(KEY, settings), "permissions")

    assert found.severity is Severity.ERROR
    assert found.message.endswith(f" may not: {action}")


def test_permission_to_register_is_looked_at_where_revisions_are_registered(
    cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings
) -> None:
    obey(cloud, settings)

    found = find(preflight.examine(KEY, settings, "wines"), "permissions")

    assert found.severity is Severity.WARNING
    assert "sagemaker:CreateModelPackage," in found.message
    assert find(preflight.examine(KEY, settings), "permissions").severity is Severity.OK


def test_price_list_that_may_not_be_read_is_a_warning(
    cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings
) -> None:
    obey(cloud, settings, without="pricing:GetProducts")

    assert preflight.refresh_prices().severity is Severity.WARNING


def test_fetched_prices_are_those_of_the_list(preflight: SageMakerPreflight) -> None:
    settings = SageMakerSettings(role="", capacity=Instances(instance_type="ml.c6i.xlarge", count=2))
    assert preflight.describe_cost(settings, SageMakerPolicy()) is None

    found = preflight.refresh_prices()

    assert found.severity is Severity.OK
    assert str(preflight.describe_cost(settings, SageMakerPolicy())).endswith(
        "an hour, $298 a month (2 x ml.c6i.xlarge, us-east-1, prices of 2026-01-01)"
    )


def test_role_is_to_exist_under_its_arn_and_to_trust_the_service(
    cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings
) -> None:
    foreign = cloud.make_role("of-ec2", Principal={"Service": "ec2.amazonaws.com"})
    missing = settings.role.replace("sandbox-role", "nobody")

    def look(role: str) -> Finding:
        return find(preflight.examine(KEY, dataclasses.replace(settings, role=role)), "execution-role")

    assert look(foreign).message == f"the execution role {foreign} does not let sagemaker.amazonaws.com assume it"
    assert look(missing).message == f"the execution role {missing} does not exist"
    assert look("").message == "the execution role dockyard-wine will be made with the deployment"
    assert [look(role).severity for role in (foreign, missing, "")] == [Severity.ERROR, Severity.ERROR, Severity.OK]


def test_quota_of_accelerated_instances_is_none_in_a_new_account(
    preflight: SageMakerPreflight, settings: SageMakerSettings
) -> None:
    wanted = dataclasses.replace(settings, capacity=Instances(instance_type="ml.g5.xlarge"))

    found = find(preflight.examine(KEY, wanted), "quota")

    assert found.severity is Severity.ERROR
    assert found.message == "the account may run 0 x ml.g5.xlarge for endpoints in us-east-1; this takes 1"
    assert "ml.g5.xlarge for endpoint usage" in str(found.remedy)


def test_buckets_are_to_be_there_and_in_the_region(preflight: SageMakerPreflight, settings: SageMakerSettings) -> None:
    waiting = AsyncInference(output="s3://far/answers", failures="s3://nowhere-at-all/failures")

    findings = preflight.examine(KEY, dataclasses.replace(settings, asynchronous=waiting))

    assert [one.message for one in findings if one.code == "bucket"] == [
        "bucket near (`bucket`) is there, in us-east-1",
        "bucket far (`asynchronous.output`) is in eu-west-1, and the endpoint will be in us-east-1",
        "there is no bucket nowhere-at-all (`asynchronous.failures`)",
    ]


def test_key_is_to_be_there_and_enabled(cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings) -> None:
    made = cloud.client("kms").create_key()["KeyMetadata"]
    key = made["Arn"]
    cloud.client("kms").disable_key(KeyId=made["KeyId"])
    missing = key[: -len("0000")] + "0000"

    def look(arn: str) -> Finding:
        return find(preflight.examine(KEY, dataclasses.replace(settings, kms_key=arn)), "kms-key")

    assert look(key).message == f"key {key} is Disabled"
    assert look(missing).message == f"there is no key {missing} in us-east-1"
    assert look(key).severity is look(missing).severity is Severity.ERROR


def test_repository_is_told_where_it_is(cloud: CloudBench, preflight: SageMakerPreflight, settings: SageMakerSettings) -> None:
    cloud.client("ecr").create_repository(repositoryName="dockyard/beer")

    found = find(preflight.examine(dataclasses.replace(KEY, name="beer"), settings), "image-repository")

    assert found.message.endswith("/dockyard/beer is there")


def test_settings_are_checked_without_any_call(cloud: CloudBench, preflight: SageMakerPreflight) -> None:
    before = len(cloud.sandbox.calls.list_calls())
    wrong = SageMakerSettings(role="", capacity=Instances(instance_type="ml.bogus", count=0))

    with pytest.raises(UsageError) as caught:
        preflight.check_settings(KEY, wrong, SageMakerPolicy())

    assert [line.partition(":")[0] for line in caught.value.details] == ["`instance`", "`count`"]
    assert len(cloud.sandbox.calls.list_calls()) == before
