"""What can be known of a deployment beforehand is found, told with a remedy, and never raised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from dockyard.adapters.sagemaker.preflight import SageMakerPreflight
from dockyard.adapters.sagemaker.prices import PriceBook
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import CredentialsError, UsageError
from dockyard.domain.finding import Severity
from dockyard.domain.sagemaker import (
    Account,
    Instances,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    SageMakerSettings,
    Serverless,
)
from dockyard.ports_sagemaker import Preflight
from support.fake_aws import ACCOUNT, CALLER, FakeClients, refuse
from support.ready_account import (
    KEY,
    ROLE,
    SETTINGS,
    clients,
    find_one,
    preflight,
)


def test_adapter_is_a_preflight(tmp_path: Path) -> None:
    adapter: Preflight = preflight(clients(), tmp_path)

    assert (
        adapter.choose_platform(SageMakerSettings(role=ROLE, capacity=Instances(instance_type="ml.c7g.large"))) == "linux/arm64"
    )
    assert adapter.describe_cost(SETTINGS, SageMakerPolicy()) == (
        "about $0.128 an hour, $93 a month (1 x ml.m5.large, eu-west-1, prices of 2023-12)"
    )
    assert adapter.describe_job_cost(Instances(count=2)) == (
        "about $0.256 an hour while the job runs (2 x ml.m5.large, eu-west-1, prices of 2023-12)"
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
