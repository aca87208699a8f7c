"""The policies that come with Dockyard allow what a deployment does, on its own things, and nothing else."""

from __future__ import annotations

import dataclasses
import json
from importlib.resources import files

import pytest
from botocore.loaders import Loader

from dockyard.adapters.sagemaker.policies import (
    Document,
    Grantee,
    list_statements,
    render_deployer_policy,
    render_execution_policy,
    render_trust_policy,
)
from dockyard.domain.sagemaker import (
    Account,
    AsyncInference,
    ModelDelivery,
    SageMakerSettings,
    derive_revision_name,
)
from dockyard.domain.sagemaker_batch import BatchSettings, derive_job_stem
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_component import Component
from dockyard.domain.sagemaker_network import Network
from support.policies import allows, find_denied, list_actions, take_away

ACCOUNT = Account(id="123456789012", region="eu-west-1")
WINE = Grantee(account=ACCOUNT, endpoint="wine")
BASE = "arn:aws:ecr:eu-west-1:763104351884:repository/pytorch-inference"
REGISTERED = dataclasses.replace(WINE, package_group="Wines", bases=(BASE,))
ROLE = "arn:aws:iam::123456789012:role/wine-role"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"
BARE = SageMakerSettings(role=ROLE)
FULL = SageMakerSettings(
    role=ROLE,
    delivery=ModelDelivery.ARCHIVE,
    bucket="s3://models/team",
    kms_key="1234",
    network=Network(subnets=("subnet-1",), security_groups=("sg-1",)),
    asynchronous=AsyncInference(
        output="s3://answers/wine",
        failures="s3://failures",
        success_topic="arn:aws:sns:eu-west-1:123456789012:good",
        error_topic="arn:aws:sns:eu-west-1:123456789012:bad",
    ),
    data_capture=DataCapture(destination="s3://captured/wine/"),
    component=Component(memory_mb=1024),
)
SAGEMAKER = "arn:aws:sagemaker:eu-west-1:123456789012"
JOB = f"{derive_job_stem('wine', ('0123456789abcdef', 's3://in', 's3://out'), BatchSettings())}-1"
REVISION = derive_revision_name("wine", "0123456789abcdef")
CONTEXT = {
    "iam:passedtoservice": "sagemaker.amazonaws.com",
    "iam:awsservicename": "sagemaker.application-autoscaling.amazonaws.com",
    "application-autoscaling:service-namespace": "sagemaker",
    "kms:grantisforawsresource": "true",
    "cloudwatch:namespace": "AWS/SageMaker/Endpoints",
}
_LOGS = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/wine"
_REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/dockyard/wine"
DEPLOYER_NEEDS = {
    f"{SAGEMAKER}:endpoint/wine": (
        "sagemaker:AddTags CreateEndpoint DeleteEndpoint DescribeEndpoint InvokeEndpoint InvokeEndpointAsync ListTags "
        "UpdateEndpoint"
    ),
    f"{SAGEMAKER}:endpoint-config/{REVISION}": (
        "sagemaker:AddTags CreateEndpoint CreateEndpointConfig DeleteEndpointConfig DescribeEndpointConfig ListTags "
        "UpdateEndpoint"
    ),
    f"{SAGEMAKER}:inference-component/wine": (
        "sagemaker:AddTags CreateInferenceComponent DeleteInferenceComponent DescribeInferenceComponent "
        "UpdateInferenceComponent"
    ),
    f"{SAGEMAKER}:endpoint/wine ": "sagemaker:CreateInferenceComponent",
    f"{SAGEMAKER}:model/{REVISION}": "sagemaker:AddTags CreateModel DeleteModel DescribeModel ListTags",
    f"{SAGEMAKER}:transform-job/{JOB}": ("sagemaker:AddTags CreateTransformJob DescribeTransformJob ListTags StopTransformJob"),
    f"{SAGEMAKER}:model-package-group/wines": (
        "sagemaker:AddTags CreateModelPackageGroup DeleteModelPackageGroup DescribeModelPackageGroup ListTags"
    ),
    f"{SAGEMAKER}:model-package/wines/1": "sagemaker:CreateModelPackage DeleteModelPackage DescribeModelPackage",
    "*": "sagemaker:ListEndpointConfigs ListEndpoints ListModels ListModelPackages ListTransformJobs",
    ROLE: "iam:PassRole GetRole",
    "arn:aws:iam::123456789012:role/dockyard-wine": (
        "iam:CreateRole DeleteRole DeleteRolePolicy GetRole ListRolePolicies PutRolePolicy TagRole"
    ),
    "arn:aws:iam::123456789012:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/x": (
        "iam:CreateServiceLinkedRole"
    ),
    BASE: "ecr:BatchGetImage GetDownloadUrlForLayer",
    "* ": "ecr:DescribeRepositories GetAuthorizationToken",
    _REPOSITORY: (
        "ecr:BatchCheckLayerAvailability BatchDeleteImage BatchGetImage CompleteLayerUpload CreateRepository DeleteRepository "
        "DescribeImages InitiateLayerUpload ListTagsForResource PutImage TagResource UploadLayerPart"
    ),
    "*  ": (
        "application-autoscaling:DeregisterScalableTarget DescribeScalableTargets DescribeScalingPolicies "
        "DescribeScheduledActions PutScalingPolicy PutScheduledAction RegisterScalableTarget"
    ),
    "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:dockyard-wine-errors": (
        "cloudwatch:DeleteAlarms PutMetricAlarm TagResource"
    ),
    "*   ": "cloudwatch:DescribeAlarms",
    f"{_LOGS}": "logs:DescribeLogStreams",
    f"{_LOGS}:log-stream:AllTraffic/i-1": "logs:GetLogEvents",
    "*    ": "iam:SimulatePrincipalPolicy",
    "*     ": "pricing:GetProducts",
    "*      ": "servicequotas:ListServiceQuotas",
    "*       ": "sts:GetCallerIdentity",
    "arn:aws:s3:::models": "s3:ListBucket",
    "arn:aws:s3:::models/team/wine-1/model.tar.gz": "s3:AbortMultipartUpload DeleteObject GetObject PutObject",
    "arn:aws:s3:::answers": "s3:ListBucket",
    "arn:aws:s3:::answers/wine/1.out": "s3:DeleteObject GetObject PutObject",
    KEY: "kms:CreateGrant Decrypt DescribeKey GenerateDataKey",
}
"""By resource, what deploying, rolling back and deleting `wine` with all options takes; blanks tell equal resources apart."""
_NO_OPERATIONS = {"iam:PassRole", "s3:ListBucket"}


def list_needs() -> list[tuple[str, str]]:
    return [
        (f"{actions.partition(':')[0]}:{name}", resource.strip())
        for resource, actions in DEPLOYER_NEEDS.items()
        for name in actions.partition(":")[2].split()
    ]


def deployer(settings: SageMakerSettings = FULL) -> Document:
    return render_deployer_policy(REGISTERED, settings)


def test_deployer_may_do_everything_that_a_deployment_with_all_options_takes() -> None:
    assert find_denied(deployer(), list_needs(), CONTEXT) == []


@pytest.mark.parametrize("action", sorted(list_actions(deployer())))
def test_no_action_of_the_deployer_can_be_left_out(action: str) -> None:
    assert action in find_denied(take_away(deployer(), action), list_needs(), CONTEXT)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sagemaker:DeleteEndpoint", f"{SAGEMAKER}:endpoint/wines"),
        ("sagemaker:DeleteEndpoint", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/wine"),
        ("sagemaker:DeleteEndpoint", "arn:aws:sagemaker:eu-west-1:999999999999:endpoint/wine"),
        ("sagemaker:DeleteModel", f"{SAGEMAKER}:model/{derive_revision_name('wine-red', 'x')}"),
        ("sagemaker:DeleteEndpointConfig", f"{SAGEMAKER}:endpoint-config/{derive_revision_name('wine-red', 'x')}"),
        ("sagemaker:CreateTrainingJob", "*"),
        ("sagemaker:DeleteInferenceComponent", f"{SAGEMAKER}:inference-component/wines"),
        ("sagemaker:DeleteModelPackage", f"{SAGEMAKER}:model-package/wines-red/1"),
        ("sagemaker:UpdateModelPackage", f"{SAGEMAKER}:model-package/wines/1"),
        ("sagemaker:StopTransformJob", f"{SAGEMAKER}:transform-job/red-{JOB}"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/admin"),
        ("iam:PutRolePolicy", ROLE),
        ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/dockyard-wine"),
        ("ecr:DeleteRepository", "arn:aws:ecr:eu-west-1:123456789012:repository/dockyard/wines"),
        ("ecr:PutImage", BASE),
        ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:763104351884:repository/pytorch-training"),
        ("s3:GetObject", "arn:aws:s3:::models/other/secret"),
        ("s3:DeleteBucket", "arn:aws:s3:::models"),
        ("s3:GetObject", "arn:aws:s3:::answers/other/1.out"),
        ("s3:GetObject", "arn:aws:s3:::captured/wine/1.jsonl"),
        ("kms:Encrypt", KEY),
        ("cloudwatch:DeleteAlarms", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:pager-wine"),
    ],
)
def test_deployer_may_do_nothing_else(action: str, resource: str) -> None:
    assert not allows(deployer(), action, resource, CONTEXT)


@pytest.mark.parametrize(
    ("action", "resource", "key"),
    [
        ("iam:PassRole", ROLE, "iam:passedtoservice"),
        ("kms:CreateGrant", KEY, "kms:grantisforawsresource"),
        ("application-autoscaling:RegisterScalableTarget", "*", "application-autoscaling:service-namespace"),
    ],
)
def test_powers_are_for_their_purpose_only(action: str, resource: str, key: str) -> None:
    assert allows(deployer(), action, resource, CONTEXT)
    assert not allows(deployer(), action, resource, {**CONTEXT, key: "ec2"})


def test_packages_are_granted_where_there_is_a_group_only() -> None:
    registered, bare = list_actions(deployer()), list_actions(render_deployer_policy(WINE, FULL))

    assert {action for action in registered - bare if "ModelPackage" not in action} == {"ecr:GetDownloadUrlForLayer"}
    assert {action for action in bare if "ModelPackage" in action} == set()


def test_endpoint_of_any_name_can_be_granted_at_once() -> None:
    everybody = render_deployer_policy(Grantee(account=ACCOUNT, endpoint="*"))

    assert allows(everybody, "sagemaker:CreateEndpoint", f"{SAGEMAKER}:endpoint/wine")
    assert allows(everybody, "sagemaker:CreateModel", f"{SAGEMAKER}:model/{REVISION}")
    assert allows(everybody, "iam:PassRole", "arn:aws:iam::123456789012:role/dockyard-wine", CONTEXT)
    assert not allows(everybody, "iam:PassRole", "arn:aws:iam::123456789012:role/admin", CONTEXT)


def test_long_endpoint_name_covers_its_revisions() -> None:
    endpoint = "w" * 54
    policy = render_deployer_policy(Grantee(account=ACCOUNT, endpoint=endpoint), BARE)

    assert allows(policy, "sagemaker:CreateModel", f"{SAGEMAKER}:model/{derive_revision_name(endpoint, 'x')}")


def test_role_is_assumed_by_the_service_and_for_its_account_only() -> None:
    (statement,) = list_statements(render_trust_policy(ACCOUNT))

    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize("settings", [BARE, FULL])
def test_nothing_is_left_to_fill_in_and_nothing_granted_that_has_no_use(settings: SageMakerSettings) -> None:
    for document in (deployer(settings), render_execution_policy(WINE, settings), render_trust_policy(ACCOUNT)):
        assert "${" not in json.dumps(document)
        sids = [str(one["Sid"]) for one in list_statements(document)]
        assert len(sids) == len(set(sids))
        assert bool({"Key", "ModelData", "Answers", "Network", "Bucket"} & set(sids)) == (
            settings is FULL and document != render_trust_policy(ACCOUNT)
        )


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ecr:BatchGetImage", _REPOSITORY),
        ("ecr:GetAuthorizationToken", "*"),
        ("logs:PutLogEvents", f"{_LOGS}:log-stream:AllTraffic/i-1"),
        ("logs:CreateLogGroup", _LOGS),
        ("cloudwatch:PutMetricData", "*"),
        ("cloudwatch:DescribeAlarms", "*"),
        ("s3:GetObject", "arn:aws:s3:::models/team/wine-1/model.tar.gz"),
        ("s3:ListBucket", "arn:aws:s3:::models"),
        ("s3:PutObject", "arn:aws:s3:::answers/wine/1.out"),
        ("s3:PutObject", "arn:aws:s3:::failures/1.out"),
        ("s3:PutObject", "arn:aws:s3:::captured/wine/1.jsonl"),
        ("sns:Publish", "arn:aws:sns:eu-west-1:123456789012:bad"),
        ("kms:Decrypt", KEY),
        ("ec2:CreateNetworkInterface", "*"),
    ],
)
def test_execution_role_may_do_what_an_endpoint_does(action: str, resource: str) -> None:
    document = render_execution_policy(WINE, FULL)

    assert allows(document, action, resource, CONTEXT)
    assert not allows(take_away(document, action), action, resource, CONTEXT)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", "arn:aws:s3:::models/team/wine-1/model.tar.gz"),
        ("s3:GetObject", "arn:aws:s3:::models/other/model.tar.gz"),
        ("ecr:PutImage", _REPOSITORY),
        ("sagemaker:CreateEndpoint", f"{SAGEMAKER}:endpoint/wine"),
        ("iam:PassRole", ROLE),
    ],
)
def test_execution_role_may_do_nothing_else(action: str, resource: str) -> None:
    assert not allows(render_execution_policy(WINE, FULL), action, resource, CONTEXT)


def test_partition_is_that_of_the_account() -> None:
    china = Grantee(account=Account(id="123456789012", region="cn-north-1", partition="aws-cn"), endpoint="wine")

    text = json.dumps([render_deployer_policy(china), render_execution_policy(china, FULL)]).replace("arn:aws:sns", "")

    assert "arn:aws:" not in text
    assert "arn:aws-cn:sagemaker:cn-north-1" in text


@pytest.mark.parametrize("alias", ["alias/wine", "arn:aws:kms:eu-west-1:123456789012:alias/wine"])
def test_key_that_is_given_by_its_alias_is_granted_on_condition(alias: str) -> None:
    settings = SageMakerSettings(role=ROLE, kms_key=alias)

    for document in (deployer(settings), render_execution_policy(WINE, settings)):
        statements = [one for one in list_statements(document) if str(one["Sid"]) in {"Key", "GrantKey"}]
        assert len(statements) == 2
        for one in statements:
            assert one["Resource"] == "arn:aws:kms:eu-west-1:123456789012:key/*"
            assert '"kms:ResourceAliases": "alias/wine"' in json.dumps(one["Condition"])


def test_every_action_is_one_that_its_service_has() -> None:
    templates = files("dockyard.adapters.sagemaker.policies")
    documents = [json.loads(templates.joinpath(f"{name}.json").read_text()) for name in ("deployer", "execution-role")]
    models = {"servicequotas": "service-quotas", "cloudwatch": "cloudwatch"}
    operations: dict[str, set[str]] = {}
    for action in sorted(set[str]().union(*map(list_actions, documents)) - _NO_OPERATIONS):
        service, _, name = action.partition(":")
        if service not in operations:
            operations[service] = set(_load_operations(models.get(service, service)))
        assert name in operations[service] or name in {
            "CreateNetworkInterfacePermission",
            "InvokeEndpoint",
            "InvokeEndpointAsync",
        }, action


def _load_operations(service: str) -> list[str]:
    return list(Loader().load_service_model(service, "service-2")["operations"])


def test_who_has_no_component_may_make_none() -> None:
    assert not allows(deployer(BARE), "sagemaker:CreateInferenceComponent", f"{SAGEMAKER}:inference-component/wine", CONTEXT)
