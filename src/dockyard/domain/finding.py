"""Owns Finding: one line of `doctor` or `drift`, and how one is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dockyard.domain.errors import UsageError


class Severity(str, Enum):
    """How bad a finding is. Only ERROR makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, how it is, and how to mend it."""

    code: str
    severity: Severity
    message: str
    remedy: str | None = None


def approve(code: str, message: str) -> Finding:
    """A finding that all is well."""
    return Finding(code=code, severity=Severity.OK, message=message)


def warn(code: str, message: str, remedy: str) -> Finding:
    """A finding that may do harm."""
    return Finding(code=code, severity=Severity.WARNING, message=message, remedy=remedy)


def object_to(code: str, message: str, remedy: str) -> Finding:
    """A finding that keeps a deployment from working."""
    return Finding(code=code, severity=Severity.ERROR, message=message, remedy=remedy)


def refuse_what_fails(key: object, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return what may do harm, as notes of a plan. Raises UsageError `preflight-failed` for what keeps it from working."""
    errors = [one for one in findings if one.severity is Severity.ERROR]
    if errors:
        raise UsageError(
            "preflight-failed",
            f"{key} cannot be deployed: {errors[0].message}",
            hint=errors[0].remedy,
            details=tuple(f"{one.code}: {one.message}" for one in errors[1:]),
        )
    return tuple(f"{one.code}: {one.message}" for one in findings if one.severity is Severity.WARNING)
