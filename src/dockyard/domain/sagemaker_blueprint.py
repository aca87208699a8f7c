"""Owns EndpointBlueprint: all that an endpoint is rendered from."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import SageMakerPolicy, SageMakerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointBlueprint:
    """All that a deployment's endpoint is rendered from. Equal blueprints give equal files."""

    key: DeploymentKey
    number: int
    spec: SageMakerSpec
    image: ImageDigest
    """`repository@sha256:…`."""
    policy: SageMakerPolicy
    shadow: ImageDigest | None = None
    """The image that gets copies of the requests and answers none, where `image` goes on serving."""
