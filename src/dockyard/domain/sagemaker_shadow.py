"""Owns what the configurations are called that have one revision in the shadow of another."""

from __future__ import annotations

from dockyard.domain.sagemaker import derive_revision_name

SHADOW_VARIANT = "Shadow"
"""The one name that shadow variants have: they get copies of requests, and nobody gets their answers."""


def derive_shadow_name(endpoint: str, production: str, shadow: str, percent: int) -> str:
    """Return the name of the endpoint configuration that has one revision in the shadow of another."""
    return derive_revision_name(endpoint, f"shadow/{production}/{shadow}/{percent}")
