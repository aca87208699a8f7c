"""Owns Finding: one line of `doctor` or `drift`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
