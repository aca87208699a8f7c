"""Owns what an in-memory account is made of, and when two of them are the same. For `dockyard.testing.sagemaker`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey, RevisionStatus
from dockyard.domain.errors import ConflictError
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import Account, AlarmPolicy, Endpoint, EndpointStatus, SageMakerRevision, SageMakerSpec
from dockyard.domain.sagemaker_host import Host

ACCOUNT = Account(id="123456789012", region="eu-west-1")
NO_IMAGE = ImageDigest("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What belongs to a deployment."""

    key: DeploymentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms(Owned):
    """The alarms of an endpoint."""

    policy: AlarmPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Owned):
    """A model or an endpoint configuration."""

    number: int
    spec: SageMakerSpec
    created: str
    image: ImageDigest = NO_IMAGE
    """Of a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowConfig(Owned):
    """A configuration that has one revision in the shadow of another."""

    production: str
    shadow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig(Owned):
    """A configuration that has instances and no model."""

    host: Host


def role_arn(name: str) -> str:
    """ARN of a role."""
    return f"arn:aws:iam::{ACCOUNT.id}:role/{name}"


def repository_uri(name: str) -> str:
    """Where images of a repository are pushed to."""
    return f"{ACCOUNT.id}.dkr.ecr.{ACCOUNT.region}.amazonaws.com/{name}"


def put_part(parts: dict[str, Part], name: str, part: Part) -> None:
    """Names are taken once; by the same, that is success."""
    there = parts.setdefault(name, part)
    if (there.key, there.spec, there.image) != (part.key, part.spec, part.image):
        raise ConflictError("plan-stale", f"{name} is there already, and is another one")


def is_at(there: Endpoint, config: str) -> bool:
    """Whether it serves a configuration, or is on its way to it."""
    is_serving = there.status is EndpointStatus.IN_SERVICE and there.config == config
    return is_serving or there.target_config == config


def require_same(there: Endpoint, key: DeploymentKey, config: str) -> None:
    """Raise ConflictError where an endpoint is not the one that is to be created."""
    if there.owner != str(key):
        raise ConflictError("endpoint-not-ours", f"endpoint {there.name} was not made by {key}")
    if there.status is EndpointStatus.DELETING or config not in {there.config, there.pending_config}:
        raise ConflictError("plan-stale", f"endpoint {there.name} is there already, and is another one")


def list_revisions(
    key: DeploymentKey,
    endpoint: Endpoint | None,
    models: Mapping[str, Part],
    configs: Mapping[str, Part],
    served: Collection[str],
) -> tuple[SageMakerRevision, ...]:
    """The revisions of a deployment out of their parts, by number."""
    parts = {name: part for name, part in (*configs.items(), *models.items()) if part.key == key}
    revisions = (
        SageMakerRevision(
            number=part.number,
            spec=part.spec,
            image=part.image,
            status=endpoint.describe_revision(name) if endpoint else RevisionStatus.STOPPED,
            has_served=name in served,
            created=part.created,
            name=name,
            has_model=name in models,
            has_config=name in configs,
        )
        for name, part in parts.items()
    )
    return tuple(sorted(revisions, key=lambda one: one.number))
