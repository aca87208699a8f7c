"""Owns what the configurations are called that have one revision in the shadow of another, and when there is none."""

from __future__ import annotations

import dataclasses

from dockyard.domain.sagemaker import Rollout, RolloutKind, derive_revision_name

SHADOW_VARIANT = "Shadow"
"""The one name that shadow variants have: they get copies of requests, and nobody gets their answers."""


def derive_shadow_name(endpoint: str, production: str, shadow: str, percent: int) -> str:
    """Return the name of the endpoint configuration that has one revision in the shadow of another."""
    return derive_revision_name(endpoint, f"shadow/{production}/{shadow}/{percent}")


def choose_rollout(rollout: Rollout, *, in_shadow: bool) -> Rollout:
    """Where there is nothing in whose shadow a revision could be, it comes all at once."""
    if rollout.kind is not RolloutKind.SHADOW or in_shadow:
        return rollout
    return dataclasses.replace(rollout, kind=RolloutKind.ALL_AT_ONCE)
