"""Owns `doctor`: looks at the surroundings, one check after the other; what one finds keeps no other from looking."""

from __future__ import annotations

from collections.abc import Iterable

from dockyard.domain.result import DoctorResult
from dockyard.ports import Check


def examine(checks: Iterable[Check]) -> DoctorResult:
    """Return what all checks found, in their order."""
    return DoctorResult(findings=tuple(finding for check in checks for finding in check.examine()))
