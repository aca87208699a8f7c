"""Owns SageMakerPlace: what an environment of the configuration says about SageMaker. Must not look anything up."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockyard.domain.sagemaker import SageMakerPolicy, SageMakerSettings
from dockyard.domain.sagemaker_batch import BatchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """How an account is reached. None: as the AWS configuration says."""

    region: str | None = None
    profile: str | None = None
    assume_role: str | None = None
    """ARN of a role to assume."""
    external_id: str | None = None
    """What that role's trust policy asks for; no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerPlace:
    """All that an environment says about SageMaker."""

    access: AwsAccess = field(default_factory=AwsAccess)
    settings: SageMakerSettings = field(default_factory=lambda: SageMakerSettings(role=""), repr=False)
    """Its role is empty where the deployment is to have its own; the environment's variables are not in it."""
    policy: SageMakerPolicy = field(default_factory=SageMakerPolicy)
    batch: BatchSettings = field(default_factory=BatchSettings)
