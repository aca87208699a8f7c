"""Owns the words for SageMaker Model Registry: that a revision is a version in a model package group, and which.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Approval(str, Enum):
    """What a version is approved for when it is registered. Later that is for people to say, and nothing takes it back."""

    PENDING = "pending"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePolicy:
    """That every revision that serves is registered, and where."""

    group: str
    """Name of the model package group; it is made where there is none."""
    approval: Approval = Approval.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionPackage:
    """Where a revision is registered."""

    group: str
    arn: str | None = None
    """The version's; None where one was to be made and is not there."""
