"""Owns the requests: what a user asked for, complete and checked, as use cases take it. Must not look anything up.

Flags, environment variables, file and defaults are merged before a request is made; secrets that the configuration refers to
are values by then, so a request is never shown or logged.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from pathlib import Path

from dockyard.domain.deployment import DeploymentKey, LocalSettings
from dockyard.domain.errors import UsageError
from dockyard.domain.image import ImageDigest, ImageSettings
from dockyard.domain.k8s import K8sPolicy, K8sSettings
from dockyard.domain.k8s_rollout import K8sRollout
from dockyard.domain.names import derive_deployment_name
from dockyard.domain.reference import ModelRef
from dockyard.domain.rendering import ModuleShape, RenderShape
from dockyard.domain.sagemaker import SageMakerPolicy, SageMakerSettings
from dockyard.domain.sagemaker_batch import BatchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """Bring a model into service under a key. Each target has its own kind."""

    ref: ModelRef
    key: DeploymentKey
    image: ImageSettings
    promote: bool = False
    """Point the alias that is called as the environment at the version once it serves."""
    history_limit: int = 5
    smoke_requests: int = 20
    lock_wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDeployRequest(DeployRequest):
    """Bring a model into service on this machine."""

    settings: LocalSettings = field(repr=False)
    """Its runtime may be AUTO; it is decided before anything is planned."""
    port: int | None = None
    """None: the one that the deployment has, else any free one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerDeployRequest(DeployRequest):
    """Bring a model into service on SageMaker."""

    settings: SageMakerSettings = field(repr=False)
    """Its role may be empty: the deployment's own one, which is made where it is missing."""
    policy: SageMakerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sDeployRequest(DeployRequest):
    """Bring a model into service on Kubernetes."""

    settings: K8sSettings = field(repr=False)
    policy: K8sPolicy
    rollout: K8sRollout = field(default_factory=K8sRollout)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """Write what a deploy to Kubernetes would apply into a folder."""

    deploy: K8sDeployRequest
    """The deployment that it would be."""
    shape: RenderShape
    folder: Path
    image: ImageDigest | None = None
    """`repository@sha256:…` that is there already; None: it is built and pushed as a deploy does."""
    revision: int | None = None
    """Its number; None: that of what the folder holds, or one more where that is another revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformRequest:
    """Write a deployment on SageMaker as Terraform into a folder."""

    deploy: SageMakerDeployRequest
    shape: ModuleShape
    folder: Path
    image: ImageDigest | None = None
    """As of a RenderRequest."""
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """Have a model answer for objects on S3, by a job of its own."""

    deploy: SageMakerDeployRequest
    """The deployment that the job's model would be."""
    input: str
    """S3 URI: all objects whose keys begin so."""
    output: str
    settings: BatchSettings
    waits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """Make a model's image, and send it to `image.repository` where `push` says so."""

    ref: ModelRef
    image: ImageSettings
    push: bool = False
    tag: str | None = None
    """The tag to push under; None: one made of the fingerprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """Bring an earlier revision of a deployment back."""

    key: DeploymentKey
    number: int | None = None
    """None: the newest below the serving one that has served."""
    history_limit: int = 5
    smoke_requests: int = 20
    lock_wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRequest:
    """Take a deployment away."""

    key: DeploymentKey
    lock_wait_seconds: float = 0.0


def choose_deployment_name(ref: ModelRef) -> str:
    """Make the deployment name for a reference that came without one: the model's name, else the last part of its path.

    Raises UsageError `name-invalid` where there is neither, as for the folder `.`: its caller passes absolute folders.
    """
    last = posixpath.basename(posixpath.normpath(ref.path)) if ref.path else ""
    name = ref.name or ("" if last in {".", "..", "/"} else last)
    if not name:
        raise UsageError("name-invalid", f"`{ref.text}` gives no name for the deployment", hint="give one with `--name`")
    return derive_deployment_name(name)
