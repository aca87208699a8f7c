"""Whether SageMaker may assume a role: the role in IAM, and its trust policy.

Owns the reading of trust policies, as far as a service principal is concerned. Conditions are taken as fulfilled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.fields import Fields, as_fields

SERVICE = "sagemaker.amazonaws.com"
_ACTION = "sts:assumerole"


class TrustedRoles:
    """The roles in IAM."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def is_assumable(self, role_arn: str) -> bool:
        """Whether the role exists under this very ARN, and lets SageMaker assume it."""
        try:
            role = self._aws.call("iam", "us-east-1", "get_role", RoleName=role_arn.rpartition("/")[2]).child("Role")
        except AwsError:
            return False
        return role.text("Arn") == role_arn and allows_service(role.child("AssumeRolePolicyDocument"), SERVICE)


def allows_service(policy: Mapping[str, object], service: str) -> bool:
    """Whether a trust policy lets a service assume the role: one statement allows it, and none denies it."""
    statements = [as_fields(one) for one in _as_list(policy.get("Statement"))]
    about = [one.text("Effect") for one in statements if _is_about(one, service)]
    return "Allow" in about and "Deny" not in about


def _is_about(statement: Fields, service: str) -> bool:
    actions = [str(action).lower() for action in _as_list(statement.get("Action"))]
    return any(fnmatchcase(_ACTION, action) for action in actions) and _names(statement.get("Principal"), service)


def _names(principal: object, service: str) -> bool:
    if principal == "*":
        return True
    services = _as_list(principal.get("Service")) if isinstance(principal, Mapping) else []
    return service in services or "*" in services


def _as_list(value: object) -> Sequence[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
