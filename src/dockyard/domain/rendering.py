"""Owns the words for rendering: a deployment as files that another tool applies, and what such files say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.k8s_rollout import K8sRollout
from dockyard.domain.model import ModelIdentity

LOCK = "dockyard.lock"
"""The file that says what was rendered. Neither kubectl nor a GitOps tool takes it for a manifest."""


class RenderForm(str, Enum):
    """Who is to apply the files, and so what they look like."""

    PLAIN = "plain"
    """Manifests, one object a file: `kubectl apply -f`."""
    KUSTOMIZE = "kustomize"
    """A base, and an overlay for the environment: `kubectl apply -k`."""
    HELM = "helm"
    """Values for the chart `helm/model-server`."""
    ARGO_CD = "argo-cd"
    """Manifests, and an Application that points at them."""
    FLUX = "flux"
    """Manifests, and a Kustomization that points at them."""
    ARGO_ROLLOUTS = "argo-rollouts"
    """Manifests with a Rollout instead of the Deployment."""
    FLAGGER = "flagger"
    """Manifests with a Canary, which makes the Services."""
    KSERVE = "kserve"
    """An InferenceService, which makes Deployment and Service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitPlace:
    """Where a GitOps tool finds what was rendered."""

    url: str | None = None
    """Of the repository. None: the one that Flux itself was set up from."""
    branch: str = "main"
    path: str = "."
    """The folder in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderShape:
    """How a blueprint becomes files."""

    form: RenderForm
    namespace: str
    git: GitPlace
    rollout: K8sRollout = field(default_factory=K8sRollout)
    """What tools that move traffic are told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleShape:
    """How a blueprint becomes a call of the Terraform module `endpoint`."""

    source: str
    """Where Terraform finds the module."""
    form: str = "terraform"
    namespace: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLock:
    """What a folder holds, and what it was made from. Equal input gives an equal lock."""

    schema: int = 1
    deployment: str
    """As `prod/wine`."""
    namespace: str | None
    """Of Kubernetes; None elsewhere."""
    form: str
    """The value of a RenderForm, or `terraform`."""
    revision: int
    spec_hash: str
    """Of model, image and settings: another one is another revision."""
    settings_hash: str
    model: ModelIdentity
    fingerprint: Fingerprint
    image: ImageDigest
    files: Mapping[str, str]
    """Digest of each file by its path."""
