"""What can be known of a deployment beforehand is found, told with a remedy, and never raised."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from dockyard.adapters.sagemaker.look_at_role import allows_service
from dockyard.adapters.sagemaker.preflight import SageMakerPreflight
from dockyard.adapters.sagemaker.prices import PriceBook
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import CredentialsError, UsageError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.sagemaker import (
    Account,
    AsyncInference,
    DataCapture,
    Instances,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    SageMakerSettings,
    Serverless,
)
from dockyard.ports_sagemaker import Preflight
from support.fake_aws import ACCOUNT, CALLER, FakeClients, refuse

KEY = DeploymentKey(environment="sagemaker", name="wine", target=Target.SAGEMAKER)
ROLE = "arn:aws:iam::123456789012:role/wine-role"
STRANGE_ROLE = "arn:aws:iam::999999999999:role/wine"
OWN_ROLE = "arn:aws:iam::123456789012:role/dockyard-wine"
ASSUMING: dict[str, object] = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
TRUST = {"Statement": [ASSUMING]}
ENCODED_TRUST = quote('{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:*"}}')
FAR = {"head_bucket": {"BucketRegion": "us-east-1"}}
SETTINGS = SageMakerSettings(role=ROLE)


def get_role(arn: str = ROLE, trust: object = TRUST) -> dict[str, object]:
    return {"Role": {"Arn": arn, "AssumeRolePolicyDocument": trust}}


def simulate(*denied: str) -> Callable[..., dict[str, object]]:
    def answer(ActionNames: list[str], **_: object) -> dict[str, object]:  # noqa: N803  as boto3 names it
        results = [
            {"EvalActionName": one, "EvalDecision": "implicitDeny" if one in denied else "allowed"} for one in ActionNames
        ]
        return {"EvaluationResults": results}

    return answer


def clients(**changes: dict[str, Any]) -> FakeClients:
    usual: dict[str, dict[str, Any]] = {
        "sts": {"get_caller_identity": {"Arn": CALLER, "Account": ACCOUNT.id}},
        "iam": {"get_role": get_role(), "simulate_principal_policy": simulate()},
        "service-quotas": {"list_service_quotas": quotas(20)},
        "ecr": {"describe_repositories": refuse("RepositoryNotFoundException")},
        "s3": {"head_bucket": {"BucketRegion": "eu-west-1"}},
        "kms": {"describe_key": {"KeyMetadata": {"KeyState": "Enabled"}}},
    }
    changed = {name.replace("_", "-"): answers for name, answers in changes.items()}
    return FakeClients(services={name: {**answers, **changed.get(name, {})} for name, answers in usual.items()})


def quotas(value: float, name: str = "ml.m5.large for endpoint usage") -> list[dict[str, object]]:
    other = {"QuotaName": "ml.m5.large for training job usage", "Value": 0.0}
    return [{"Quotas": [other]}, {"Quotas": [{"QuotaName": name, "Value": value}]}]


def preflight(session: FakeClients, folder: Path) -> SageMakerPreflight:
    return SageMakerPreflight(session, lambda *_: (), PriceBook(folder))


def find(folder: Path, code: str, settings: SageMakerSettings = SETTINGS, **changes: dict[str, Any]) -> list[Finding]:
    findings = preflight(clients(**changes), folder).examine(KEY, settings)
    return [one for one in findings if one.code == code]


def find_one(folder: Path, code: str, settings: SageMakerSettings = SETTINGS, **changes: dict[str, Any]) -> Finding:
    (found,) = find(folder, code, settings, **changes)
    return found


def test_adapter_is_a_preflight(tmp_path: Path) -> None:
    adapter: Preflight = preflight(clients(), tmp_path)

    assert (
        adapter.choose_platform(SageMakerSettings(role=ROLE, capacity=Instances(instance_type="ml.c7g.large"))) == "linux/arm64"
    )
    assert adapter.describe_cost(SETTINGS, SageMakerPolicy()) == (
        "about $0.128 an hour, $93 a month (1 x ml.m5.large, eu-west-1, prices of 2023-12)"
    )


def test_account_that_is_ready_has_good_findings_only(tmp_path: Path) -> None:
    findings = preflight(clients(), tmp_path).examine(KEY, SETTINGS)

    assert {one.severity for one in findings} == {Severity.OK}
    assert [one.code for one in findings] == [
        "credentials",
        "execution-role",
        "permissions",
        "quota",
        "image-repository",
        "capacity",
        "cost",
    ]
    assert findings[0].message == f"AWS account 123456789012 in eu-west-1, as {CALLER}"


@pytest.mark.parametrize(
    "failure",
    [CredentialsError("credentials-refused", "no", hint="sign in"), NoCredentialsError(), refuse("ExpiredToken", "too late")],
)
def test_without_credentials_nothing_else_is_looked_at(tmp_path: Path, failure: Exception) -> None:
    (found,) = preflight(FakeClients(account=failure), tmp_path).examine(KEY, SETTINGS)

    assert (found.code, found.severity) == ("credentials", Severity.ERROR)
    assert found.remedy


def test_refused_identity_is_a_finding(tmp_path: Path) -> None:
    found = find_one(tmp_path, "credentials", sts={"get_caller_identity": refuse("InvalidClientTokenId", "not valid")})

    assert found.severity is Severity.ERROR
    assert "not valid" in found.message


@pytest.mark.parametrize(
    ("settings", "iam", "severity", "told"),
    [
        (SETTINGS, {"get_role": refuse("NoSuchEntity")}, Severity.ERROR, f"the execution role {ROLE} does not exist"),
        (
            SageMakerSettings(role=OWN_ROLE),
            {"get_role": refuse("NoSuchEntity")},
            Severity.OK,
            "the execution role dockyard-wine will be made with the deployment",
        ),
        (
            SETTINGS,
            {"get_role": get_role(trust={"Statement": []})},
            Severity.ERROR,
            f"the execution role {ROLE} does not let sagemaker.amazonaws.com assume it",
        ),
        (
            SETTINGS,
            {"get_role": get_role("arn:aws:iam::123456789012:role/team/wine-role")},
            Severity.ERROR,
            f"the role's ARN is arn:aws:iam::123456789012:role/team/wine-role, not {ROLE}",
        ),
        (
            SageMakerSettings(role=STRANGE_ROLE),
            {},
            Severity.ERROR,
            f"the execution role {STRANGE_ROLE} is not of account 123456789012, whose credentials these are",
        ),
        (SageMakerSettings(role="wine"), {}, Severity.ERROR, "wine is not the ARN of a role"),
        (SETTINGS, {"get_role": refuse("AccessDenied")}, Severity.WARNING, "the execution role may not be looked at"),
        (
            SETTINGS,
            {"get_role": EndpointConnectionError(endpoint_url="https://iam")},
            Severity.WARNING,
            'the execution role cannot be looked at: Could not connect to the endpoint URL: "https://iam"',
        ),
    ],
)
def test_execution_role_is_there_and_trusts_the_service(
    tmp_path: Path, settings: SageMakerSettings, iam: dict[str, Any], severity: Severity, told: str
) -> None:
    found = find_one(tmp_path, "execution-role", settings, iam=iam)

    assert (found.severity, found.message) == (severity, told)
    assert (found.remedy is None) == (severity is Severity.OK)


@pytest.mark.parametrize(
    ("policy", "trusts"),
    [
        (TRUST, True),
        ({"Statement": ASSUMING}, True),
        (ENCODED_TRUST, True),
        ({"Statement": [{**ASSUMING, "Principal": {"Service": ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]}}]}, True),
        ({"Statement": [{**ASSUMING, "Principal": {"Service": "ec2.amazonaws.com"}}]}, False),
        ({"Statement": [{**ASSUMING, "Principal": {"AWS": "sagemaker.amazonaws.com"}}]}, False),
        ({"Statement": [{**ASSUMING, "Action": "sts:TagSession"}]}, False),
        ({"Statement": [ASSUMING, {**ASSUMING, "Effect": "Deny"}]}, False),
        ({}, False),
        ([], False),
    ],
)
def test_trust_is_read_off_the_policy(policy: object, trusts: bool) -> None:
    assert allows_service(policy, "sagemaker.amazonaws.com") is trusts


def test_missing_permission_is_an_error_and_a_useful_one_a_warning(tmp_path: Path) -> None:
    denied = simulate("sagemaker:CreateModel", "iam:PassRole", "logs:GetLogEvents")

    needed, useful = find(tmp_path, "permissions", iam={"simulate_principal_policy": denied})

    assert (needed.severity, useful.severity) == (Severity.ERROR, Severity.WARNING)
    assert needed.message == f"{CALLER} may not: iam:PassRole, sagemaker:CreateModel"
    assert useful.message == f"by its own policies {CALLER} may not: logs:GetLogEvents"


def test_permissions_to_make_a_role_are_needed_only_where_one_is_made(tmp_path: Path) -> None:
    iam = {"simulate_principal_policy": simulate("iam:CreateRole")}

    assert find_one(tmp_path, "permissions", iam=iam).severity is Severity.OK
    own = find_one(tmp_path, "permissions", SageMakerSettings(role=OWN_ROLE), iam=iam)
    assert (own.severity, own.message) == (Severity.WARNING, f"by its own policies {CALLER} may not: iam:CreateRole")


@pytest.mark.parametrize(
    ("result", "severity"),
    [
        ({"EvalDecision": "implicitDeny"}, Severity.ERROR),
        ({"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:SourceVpc"]}, Severity.WARNING),
        ({"EvalDecision": "explicitDeny", "MissingContextValues": ["aws:SourceVpc"]}, Severity.ERROR),
    ],
)
def test_denial_that_depends_on_what_only_a_real_call_has_is_a_warning(
    tmp_path: Path, result: dict[str, object], severity: Severity
) -> None:
    def answer(ActionNames: list[str], **_: object) -> object:  # noqa: N803  as boto3 names it
        denied = [{"EvalActionName": one, **result} for one in ActionNames if one == "sagemaker:CreateModel"]
        return {"EvaluationResults": denied}

    assert find_one(tmp_path, "permissions", iam={"simulate_principal_policy": answer}).severity is severity


def test_permissions_that_a_bucket_or_key_may_give_are_a_warning(tmp_path: Path) -> None:
    settings = SageMakerSettings(role=ROLE, bucket="s3://b", kms_key="1234")
    denied = simulate("s3:PutObject", "kms:CreateGrant", "ecr:PutImage")

    found = find_one(tmp_path, "permissions", settings, iam={"simulate_principal_policy": denied})

    assert found.severity is Severity.WARNING
    assert found.message.endswith(" may not: ecr:PutImage, kms:CreateGrant, s3:PutObject")


def test_statements_about_the_same_resource_are_simulated_in_one_call(tmp_path: Path) -> None:
    session = clients()
    preflight(session, tmp_path).examine(KEY, SETTINGS)

    calls = [arguments for name, arguments in session.clients["iam"].calls if name == "simulate_principal_policy"]

    resources = [tuple(call["ResourceArns"]) for call in calls]
    assert len(resources) == len(set(resources)) <= 10
    assert ("*",) in resources


def test_refused_simulation_is_a_warning(tmp_path: Path) -> None:
    found = find_one(tmp_path, "permissions", iam={"simulate_principal_policy": refuse("AccessDenied")})

    assert found.severity is Severity.WARNING
    assert "iam:SimulatePrincipalPolicy" in str(found.remedy)


def test_session_of_an_assumed_role_is_simulated_as_the_role_with_its_path(tmp_path: Path) -> None:
    session = "arn:aws:sts::123456789012:assumed-role/ci/run-7"
    sources: list[str] = []

    def answer(PolicySourceArn: str, **arguments: Any) -> object:  # noqa: ANN401, N803  as boto3 has it
        sources.append(PolicySourceArn)
        return simulate()(**arguments)

    def find_role(RoleName: str) -> object:  # noqa: N803  as boto3 names it
        return get_role("arn:aws:iam::123456789012:role/team/ci") if RoleName == "ci" else get_role()

    iam = {"get_role": find_role, "simulate_principal_policy": answer}
    found = find_one(tmp_path, "permissions", sts={"get_caller_identity": {"Arn": session}}, iam=iam)

    assert found.severity is Severity.OK
    assert set(sources) == {"arn:aws:iam::123456789012:role/team/ci"}


def test_root_cannot_be_simulated(tmp_path: Path) -> None:
    root = {"get_caller_identity": {"Arn": "arn:aws:iam::123456789012:root"}}

    assert find_one(tmp_path, "permissions", sts=root).severity is Severity.WARNING


@pytest.mark.parametrize(
    ("pages", "count", "severity", "told"),
    [
        (quotas(20), 10, Severity.OK, "the account may run 20 x ml.m5.large for endpoints, those that run already included"),
        (quotas(3), 2, Severity.WARNING, "the account may run 3 x ml.m5.large for endpoints; an update takes 4 while it lasts"),
        (quotas(0), 1, Severity.ERROR, "the account may run 0 x ml.m5.large for endpoints in eu-west-1; this takes 1"),
        (quotas(5, "other"), 1, Severity.WARNING, "there is no quota `ml.m5.large for endpoint usage` in eu-west-1"),
        (refuse("AccessDeniedException"), 1, Severity.WARNING, "the quota for instances may not be looked at"),
    ],
)
def test_quota_covers_the_instances_and_an_update_of_them(
    tmp_path: Path, pages: object, count: int, severity: Severity, told: str
) -> None:
    settings = SageMakerSettings(role=ROLE, capacity=Instances(count=count))

    found = find_one(tmp_path, "quota", settings, service_quotas={"list_service_quotas": pages})

    assert (found.severity, found.message) == (severity, told)


def test_serverless_endpoint_has_no_quota_of_instances(tmp_path: Path) -> None:
    settings = SageMakerSettings(role=ROLE, capacity=Serverless(memory_mb=2048, max_concurrency=5))

    assert find(tmp_path, "quota", settings) == []
    assert find_one(tmp_path, "capacity", settings).message == (
        "serverless, 2048 MB, at most 5 at a time: runs linux/amd64 images, takes requests of 4 MB at most"
    )


def test_repository_is_there_or_will_be_made(tmp_path: Path) -> None:
    there = {"describe_repositories": {"repositories": [{"repositoryUri": "host/dockyard/wine"}]}}

    assert find_one(tmp_path, "image-repository", ecr=there).message == "the image repository host/dockyard/wine is there"
    assert find_one(tmp_path, "image-repository").message.endswith("dockyard/wine will be made with the deployment")
    assert find_one(tmp_path, "image-repository", ecr={"describe_repositories": refuse("X")}).severity is Severity.WARNING


def test_every_bucket_is_in_the_region_of_the_endpoint(tmp_path: Path) -> None:
    settings = SageMakerSettings(
        role=ROLE,
        bucket="s3://near/models",
        asynchronous=AsyncInference(output="s3://far/answers", failures="s3://gone/failures"),
        data_capture=DataCapture(destination="s3://hidden"),
    )
    assert find_one(tmp_path, "bucket", SageMakerSettings(role=ROLE, bucket="s3://far"), s3=FAR).severity is Severity.ERROR
    answers: Mapping[str, Any] = {
        "near": {"BucketRegion": "eu-west-1"},
        "far": {"ResponseMetadata": {"HTTPHeaders": {"x-amz-bucket-region": "us-east-1"}}},
        "gone": refuse("404"),
        "hidden": refuse("403"),
    }

    def head(Bucket: str) -> object:  # noqa: N803  as boto3 names it
        answer = answers[Bucket]
        if isinstance(answer, Exception):
            raise answer
        return answer

    found = find(tmp_path, "bucket", settings, s3={"head_bucket": head})

    assert [(one.severity, one.message) for one in found] == [
        (Severity.OK, "bucket near (`bucket`) is there, in eu-west-1"),
        (Severity.WARNING, "bucket far (`asynchronous.output`) is in us-east-1, and the endpoint will be in eu-west-1"),
        (Severity.ERROR, "there is no bucket gone (`asynchronous.failures`)"),
        (Severity.WARNING, "a bucket may not be looked at"),
    ]


@pytest.mark.parametrize(
    ("answer", "severity", "told"),
    [
        ({"KeyMetadata": {"KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT"}}, Severity.OK, "key alias/wine is enabled"),
        ({"KeyMetadata": {"KeyState": "PendingDeletion"}}, Severity.ERROR, "key alias/wine is PendingDeletion"),
        (
            {"KeyMetadata": {"KeyState": "Enabled", "KeySpec": "RSA_2048"}},
            Severity.ERROR,
            "key alias/wine is RSA_2048; SageMaker takes symmetric keys only",
        ),
        (refuse("NotFoundException"), Severity.ERROR, "there is no key alias/wine in eu-west-1"),
        (refuse("AccessDeniedException"), Severity.WARNING, "the key may not be looked at"),
    ],
)
def test_key_can_be_used(tmp_path: Path, answer: object, severity: Severity, told: str) -> None:
    settings = SageMakerSettings(role=ROLE, kms_key="alias/wine")

    found = find_one(tmp_path, "kms-key", settings, kms={"describe_key": answer})

    assert (found.severity, found.message) == (severity, told)


def test_unknown_price_is_told_with_the_way_to_fetch_it(tmp_path: Path) -> None:
    session = clients()
    session._account = Account(id=ACCOUNT.id, region="mars-north-1")

    found = [one for one in preflight(session, tmp_path).examine(KEY, SETTINGS) if one.code == "cost"]

    assert found[0].severity is Severity.WARNING
    assert "--refresh-prices" in str(found[0].remedy)


def test_every_failure_of_every_call_is_a_finding_and_never_raised(tmp_path: Path) -> None:
    settings = SageMakerSettings(role=ROLE, bucket="s3://b", kms_key="alias/wine")
    calls = {"iam": "get_role", "service-quotas": "list_service_quotas", "ecr": "describe_repositories"}
    calls |= {"s3": "head_bucket", "kms": "describe_key", "sts": "get_caller_identity"}
    for service, operation in calls.items():
        for failure in (
            refuse("ThrottlingException", "slow"),
            refuse("500"),
            EndpointConnectionError(endpoint_url="https://x"),
        ):
            session = clients(**{service: {operation: failure}})
            findings = preflight(session, tmp_path).examine(KEY, settings)
            assert [one for one in findings if one.severity is not Severity.OK], (service, failure)


def test_prices_are_fetched_and_count_from_then_on(tmp_path: Path) -> None:
    product = json.dumps(
        {
            "product": {"attributes": {"component": "Hosting", "instanceName": "ml.m5.large"}},
            "publicationDate": "2026-11-20T",
            "terms": {"OnDemand": {"T": {"priceDimensions": {"R": {"pricePerUnit": {"USD": "1"}}}}}},
        }
    )
    session = FakeClients(services={"pricing": {"get_products": [{"PriceList": [product]}]}})
    adapter = preflight(session, tmp_path)

    found = adapter.refresh_prices()

    assert (found.severity, found.message) == (
        Severity.OK,
        "the price list of 2026-11-20 for eu-west-1 is fetched: instance types 1",
    )
    assert str(adapter.describe_cost(SETTINGS, SageMakerPolicy())).startswith("about $1 an hour, $730 a month")


@pytest.mark.parametrize("answer", [refuse("AccessDenied"), [{"PriceList": ["not JSON"]}], [{"PriceList": []}], [{}]])
def test_prices_that_cannot_be_fetched_are_a_warning(tmp_path: Path, answer: object) -> None:
    found = preflight(FakeClients(services={"pricing": {"get_products": answer}}), tmp_path).refresh_prices()

    assert found.severity is Severity.WARNING
    assert not list(tmp_path.iterdir())


def test_settings_are_checked_in_the_requests_that_they_become(tmp_path: Path) -> None:
    def render(
        key: DeploymentKey, settings: SageMakerSettings, _: SageMakerPolicy
    ) -> list[tuple[str, str, Mapping[str, object]]]:
        model = {"ModelName": key.name, "ExecutionRoleArn": settings.role, "PrimaryContainer": {"Image": "i"}}
        return [("sagemaker", "CreateModel", model)]

    adapter = SageMakerPreflight(FakeClients(), render, PriceBook(tmp_path))
    adapter.check_settings(KEY, SETTINGS, SageMakerPolicy())

    with pytest.raises(UsageError) as one:
        adapter.check_settings(KEY, SageMakerSettings(role="wine"), SageMakerPolicy())
    rolling = SageMakerPolicy(rollout=Rollout(kind=RolloutKind.ROLLING))
    serverless = SageMakerSettings(role="wine-of-a-very-long-name", capacity=Serverless(memory_mb=2048, max_concurrency=5))
    with pytest.raises(UsageError) as more:
        adapter.check_settings(KEY, serverless, rolling)

    assert one.value.code == more.value.code == "setting-invalid"
    assert more.value.message == "2 settings have values that SageMaker does not take"
    assert [line.partition(":")[0] for line in more.value.details] == ["`rollout.kind`", "`role`"]
