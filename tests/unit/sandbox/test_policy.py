"""A policy allows what IAM would: wildcards, denials, conditions; and nothing that is not written."""

from __future__ import annotations

import pytest

from dockyard_sandbox.calls import CallSite, Permission
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.policy import PolicyError, read_policy

MODEL = "arn:aws:sagemaker:us-east-1:123456789012:model/dockyard-m"
ROLE = "arn:aws:iam::123456789012:role/r"


def is_allowed(statements: object, action: str, resource: str = MODEL) -> bool:
    """Whether a call with this permission passes."""
    permission = Permission(action=action, resource=resource)
    site = CallSite(service="s", operation="o", region="us-east-1", principal="p", mutating=True, permissions=(permission,))
    return read_policy(Fields({"Version": "2012-10-17", "Statement": statements})).find_denied(site) is None


def allow(action: object, resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([allow("sagemaker:CreateModel")], True),
        (allow("sagemaker:CreateModel"), True),
        ([allow("SageMaker:createmodel")], True),
        ([allow(["s3:*", "sagemaker:Create*"])], True),
        ([allow("sagemaker:Delete*")], False),
        ([allow("*", MODEL)], True),
        ([allow("*", "arn:aws:sagemaker:*:*:model/dockyard-*")], True),
        ([allow("*", "arn:aws:sagemaker:*:*:model/Dockyard-*")], False),
        ([allow("*", "arn:aws:sagemaker:us-east-?:123456789012:model/dockyard-m")], True),
        ([allow("*"), {"Effect": "Deny", "Action": "sagemaker:CreateModel", "Resource": "*"}], False),
        ([{"Effect": "Allow", "NotAction": "sagemaker:*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::*"}], True),
        ([allow("*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})], True),
        ([allow("*", Condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}})], False),
        ([allow("*", Condition={"StringNotLike": {"aws:RequestedRegion": "eu-*"}})], True),
        ([allow("*", Condition={"StringEquals": {"aws:Nobody": "x"}})], False),
        ([allow("*", Condition={"StringEqualsIfExists": {"aws:Nobody": "x"}})], True),
        ([allow("*", Condition={"Bool": {"aws:SecureTransport": True}})], True),
    ],
)
def test_policy_decides_as_iam_does(statements: object, allowed: bool) -> None:
    assert is_allowed(statements, "sagemaker:CreateModel") == allowed


def test_role_is_passed_to_sagemaker_only() -> None:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert is_allowed([allow("iam:PassRole", ROLE, Condition=condition)], "iam:PassRole", ROLE)
    condition = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    assert not is_allowed([allow("iam:PassRole", ROLE, Condition=condition)], "iam:PassRole", ROLE)


def test_call_on_everything_is_not_allowed_by_a_narrow_resource() -> None:
    assert not is_allowed([allow("sagemaker:ListModels", MODEL)], "sagemaker:ListModels", "*")
    assert is_allowed([allow("sagemaker:ListModels")], "sagemaker:ListModels", "*")


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Perhaps", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*"},
        {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"},
        allow("*", Condition={"DateLessThan": {"aws:CurrentTime": "x"}}),
        "allow everything",
    ],
)
def test_document_that_is_not_understood_is_refused(statement: object) -> None:
    with pytest.raises(PolicyError):
        read_policy(Fields({"Statement": [statement]}))
