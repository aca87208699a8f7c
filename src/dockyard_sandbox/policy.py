"""Whether an IAM policy allows a call: for showing that a policy holds everything that is needed, and nothing else.

Owns identity-based policies with the conditions that deployments use. Pure. Must not know who calls: one document
holds for all.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from dockyard_sandbox.arns import ACCOUNT
from dockyard_sandbox.calls import CallSite, Permission
from dockyard_sandbox.fields import Fields, as_fields

_OPERATORS = {
    "StringEquals": "equal",
    "StringLike": "like",
    "ArnEquals": "like",
    "ArnLike": "like",
    "StringNotEquals": "not-equal",
    "StringNotLike": "not-like",
    "Bool": "equal",
}
_FREE = frozenset({"sts:GetCallerIdentity"})
"""Needs no permission, whatever a policy says."""
_KNOWN = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})


class PolicyError(ValueError):
    """A document that is no policy, or has what is not understood here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy document."""

    statements: tuple[Fields, ...]

    def allows(self, permission: Permission, context: Mapping[str, str]) -> bool:
        """Whether some statement allows it and none denies it."""
        effects = {one.text("Effect") for one in self.statements if _fits(one, permission, context)}
        return "Allow" in effects and "Deny" not in effects

    def find_denied(self, site: CallSite) -> Permission | None:
        """The first permission that a call needs and does not have."""
        for permission in site.permissions:
            if permission.action not in _FREE and not self.allows(permission, make_context(site, permission)):
                return permission
        return None


def make_context(site: CallSite, permission: Permission) -> dict[str, str]:
    """The condition keys of a call."""
    context = make_account_context(site.region)
    if permission.action == "iam:PassRole":
        context["iam:passedtoservice"] = "sagemaker.amazonaws.com"
    return context


def make_account_context(region: str) -> dict[str, str]:
    """The condition keys that every call has."""
    keys = {"aws:requestedregion": region, "aws:principalaccount": ACCOUNT, "aws:resourceaccount": ACCOUNT}
    return {**keys, "aws:securetransport": "true"}


def read_policy(document: Fields) -> Policy:
    """The policy in a JSON document. Raises PolicyError."""
    statements = document.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    try:
        policy = Policy(statements=tuple(as_fields(one) for one in listed))
        for statement in policy.statements:
            _check(statement)
    except TypeError as error:
        raise PolicyError(f"the document is no policy: {error}") from error
    return policy


def _check(statement: Fields) -> None:
    unknown = sorted(set(statement) - _KNOWN)
    if unknown:
        raise PolicyError(f"{unknown[0]} in a statement is not understood")
    if statement.text("Effect") not in {"Allow", "Deny"}:
        raise PolicyError("a statement's Effect is Allow or Deny")
    for one in ("Action", "Resource"):
        if (one in statement) == (f"Not{one}" in statement):
            raise PolicyError(f"a statement has either {one} or Not{one}")
    for operator in statement.child("Condition"):
        if operator.removesuffix("IfExists") not in _OPERATORS:
            raise PolicyError(f"condition operator {operator} is not understood")


def _fits(statement: Fields, permission: Permission, context: Mapping[str, str]) -> bool:
    action = permission.action.lower()
    return (
        _names(statement, "Action", action, fold=True)
        and _names(statement, "Resource", permission.resource, fold=False)
        and all(_holds(operator, keys, context) for operator, keys in _list_conditions(statement))
    )


def _names(statement: Fields, member: str, value: str, *, fold: bool) -> bool:
    wanted = member in statement
    patterns = _list_texts(statement[member if wanted else f"Not{member}"])
    matches = any(_match(pattern.lower() if fold else pattern, value) for pattern in patterns)
    return matches == wanted


def _list_conditions(statement: Fields) -> Iterator[tuple[str, Fields]]:
    for operator, keys in statement.child("Condition").items():
        yield operator, as_fields(keys)


def _holds(operator: str, keys: Fields, context: Mapping[str, str]) -> bool:
    if_exists = operator.endswith("IfExists")
    kind = _OPERATORS[operator.removesuffix("IfExists")]
    for key, wanted in keys.items():
        value = context.get(key.lower())
        if value is None:
            if not if_exists and not kind.startswith("not"):
                return False
            continue
        patterns = _list_texts(wanted)
        like = kind.endswith("like")
        found = any(_match(pattern, value) if like else pattern.lower() == value.lower() for pattern in patterns)
        if found == kind.startswith("not"):
            return False
    return True


def _list_texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _match(pattern: str, value: str) -> bool:
    return _compile(pattern).fullmatch(value) is not None


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
