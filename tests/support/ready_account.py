"""An account as preflight finds it when all is well, and one change of it at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dockyard.adapters.sagemaker.preflight import SageMakerPreflight
from dockyard.adapters.sagemaker.prices import PriceBook
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.finding import Finding
from dockyard.domain.sagemaker import SageMakerSettings
from support.fake_aws import ACCOUNT, CALLER, FakeClients, refuse

KEY = DeploymentKey(environment="sagemaker", name="wine", target=Target.SAGEMAKER)
ROLE = "arn:aws:iam::123456789012:role/wine-role"
ASSUMING: dict[str, object] = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
TRUST = {"Statement": [ASSUMING]}
SETTINGS = SageMakerSettings(role=ROLE)


def get_role(arn: str = ROLE, trust: object = TRUST) -> dict[str, object]:
    """What GetRole answers."""
    return {"Role": {"Arn": arn, "AssumeRolePolicyDocument": trust}}


def simulate(*denied: str) -> Callable[..., dict[str, object]]:
    """SimulatePrincipalPolicy, which denies these actions."""

    def answer(ActionNames: list[str], **_: object) -> dict[str, object]:  # noqa: N803  as boto3 names it
        results = [
            {"EvalActionName": one, "EvalDecision": "implicitDeny" if one in denied else "allowed"} for one in ActionNames
        ]
        return {"EvaluationResults": results}

    return answer


def clients(**changes: dict[str, Any]) -> FakeClients:
    """A session with the account; changes are answers by service."""
    usual: dict[str, dict[str, Any]] = {
        "sts": {"get_caller_identity": {"Arn": CALLER, "Account": ACCOUNT.id}},
        "iam": {"get_role": get_role(), "simulate_principal_policy": simulate()},
        "service-quotas": {"list_service_quotas": quotas(20)},
        "ecr": {"describe_repositories": refuse("RepositoryNotFoundException")},
        "s3": {"head_bucket": {"BucketRegion": "eu-west-1"}},
        "sagemaker": {"describe_endpoint": refuse("ValidationException", 'Could not find endpoint "wine".')},
        "kms": {"describe_key": {"KeyMetadata": {"KeyState": "Enabled"}}},
    }
    changed = {name.replace("_", "-"): answers for name, answers in changes.items()}
    return FakeClients(services={name: {**answers, **changed.get(name, {})} for name, answers in usual.items()})


def quotas(value: float, name: str = "ml.m5.large for endpoint usage") -> list[dict[str, object]]:
    """Two pages of quotas, of which the second has the one for endpoints."""
    other = {"QuotaName": "ml.m5.large for training job usage", "Value": 0.0}
    return [{"Quotas": [other]}, {"Quotas": [{"QuotaName": name, "Value": value}]}]


def preflight(session: FakeClients, folder: Path) -> SageMakerPreflight:
    """Preflight of settings that become no request."""
    return SageMakerPreflight(session, lambda *_: (), PriceBook(folder))


def find(folder: Path, code: str, settings: SageMakerSettings = SETTINGS, **changes: dict[str, Any]) -> list[Finding]:
    """What examining the changed account finds under a code."""
    findings = preflight(clients(**changes), folder).examine(KEY, settings)
    return [one for one in findings if one.code == code]


def find_one(folder: Path, code: str, settings: SageMakerSettings = SETTINGS, **changes: dict[str, Any]) -> Finding:
    """The only finding under a code."""
    (found,) = find(folder, code, settings, **changes)
    return found
