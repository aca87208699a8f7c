"""The execution role is there and trusted, and whoever deploys may do what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import EndpointConnectionError

from dockyard.adapters.sagemaker.look_at_role import allows_service
from dockyard.domain.finding import Severity
from dockyard.domain.sagemaker import (
    SageMakerSettings,
)
from support.fake_aws import CALLER, refuse
from support.ready_account import (
    ASSUMING,
    KEY,
    ROLE,
    SETTINGS,
    TRUST,
    clients,
    find,
    find_one,
    get_role,
    preflight,
    simulate,
)

STRANGE_ROLE = "arn:aws:iam::999999999999:role/wine"
OWN_ROLE = "arn:aws:iam::123456789012:role/dockyard-wine"
ENCODED_TRUST = quote('{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:*"}}')


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


def test_actions_that_cannot_be_simulated_together_are_simulated_one_by_one(tmp_path: Path) -> None:
    denied = simulate("sagemaker:CreateModel")
    together = refuse("InvalidInput", "Actions: [a] and [b] require different authorization information.")

    def answer(ActionNames: list[str], **more: object) -> object:  # noqa: N803  as boto3 names it
        if len(ActionNames) > 1:
            raise together
        return denied(ActionNames, **more)

    found = find_one(tmp_path, "permissions", iam={"simulate_principal_policy": answer})

    assert (found.severity, found.message) == (Severity.ERROR, f"{CALLER} may not: sagemaker:CreateModel")


def test_input_that_is_invalid_by_itself_is_a_warning(tmp_path: Path) -> None:
    found = find_one(tmp_path, "permissions", iam={"simulate_principal_policy": refuse("InvalidInput", "no such action")})

    assert (found.severity, "no such action" in found.message) == (Severity.WARNING, True)


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
