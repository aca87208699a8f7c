"""Owns Demand: what a deploy will ask of a cluster, as far as it can be looked at before."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import LEAST_FOOTPRINT, Fingerprint, ImageDigest
from dockyard.domain.k8s import Blueprint, K8sPlace, K8sPolicy, K8sSpec, ObservedK8s
from dockyard.domain.model import ModelDigest, ModelIdentity

_UNKNOWN = "sha256:" + 64 * "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is to be there afterwards, and what it takes meanwhile."""

    blueprint: Blueprint
    platform: str
    """Of the image, as `linux/amd64`."""
    more_pods: int
    """How many more pods there are at the height of it than before."""
    is_first: bool | None
    """Whether there is nothing of the deployment yet. None: nothing is deployed, and all that any command does counts."""


def imagine(key: DeploymentKey, place: K8sPlace, repository: str | None, platform: str) -> Demand:
    """Return the demand of any deployment to an environment."""
    spec = K8sSpec(
        model=ModelIdentity(digest=ModelDigest(_UNKNOWN), source="none"),
        fingerprint=Fingerprint(_UNKNOWN),
        settings=place.settings,
    )
    blueprint = Blueprint(
        key=key,
        number=1,
        spec=spec,
        image=name_unbuilt(repository or ""),
        footprint=LEAST_FOOTPRINT,
        policy=place.policy,
    )
    return Demand(blueprint=blueprint, platform=platform, more_pods=place.policy.replicas, is_first=None)


def name_unbuilt(repository: str) -> ImageDigest:
    """What stands for an image of a repository before it is built."""
    return ImageDigest(f"{repository}@{_UNKNOWN}")


def count_more_pods(seen: ObservedK8s, policy: K8sPolicy) -> int:
    """How many more pods there are while a deployment is rolled to a revision: one more than are wanted, at an update."""
    if not seen.exists or seen.policy is None:
        return policy.replicas
    return max(0, policy.replicas - seen.policy.replicas) + 1
