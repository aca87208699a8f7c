"""A role can be assumed by SageMaker when its trust policy says so, in any of the forms that IAM takes."""

from __future__ import annotations

import pytest

from dockyard_sandbox.trust import SERVICE, allows_service

ALLOW: dict[str, object] = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        (ALLOW, True),
        ([ALLOW], True),
        ([{**ALLOW, "Principal": {"Service": ["ec2.amazonaws.com", SERVICE]}}], True),
        ([{**ALLOW, "Action": ["sts:TagSession", "sts:AssumeRole"]}], True),
        ([{**ALLOW, "Action": "sts:*"}], True),
        ([{**ALLOW, "Principal": "*"}], True),
        ([{**ALLOW, "Principal": {"Service": "ec2.amazonaws.com"}}], False),
        ([{**ALLOW, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}], False),
        ([{**ALLOW, "Action": "sts:TagSession"}], False),
        ([ALLOW, {**ALLOW, "Effect": "Deny"}], False),
        ([], False),
    ],
)
def test_statements_decide(statements: object, allowed: bool) -> None:
    assert allows_service({"Version": "2012-10-17", "Statement": statements}, SERVICE) is allowed


def test_policy_without_statements_allows_nobody() -> None:
    assert not allows_service({}, SERVICE)
