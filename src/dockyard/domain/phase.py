"""Owns Phase: what the failure of a plan's step means.

PREPARE   nothing has changed for callers; on failure what was done is undone
COMMIT    traffic moves; on failure it is moved back, and the preparation is undone
SETTLE    the new state stands; failures are collected and the result is "partial"
"""

from __future__ import annotations

from enum import Enum


class Phase(str, Enum):
    """What the failure of a step means."""

    PREPARE = "prepare"
    COMMIT = "commit"
    SETTLE = "settle"
