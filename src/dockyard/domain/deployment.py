"""Owns deployments and revisions: the long-lived name in an environment, and its immutable generations."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.model import ModelIdentity

READY_SECONDS = 120
"""How long a revision may take to become ready, where nobody says so."""
_CAME_LATER = frozenset({"component"})
"""Settings that revisions of an earlier version do not have."""


class Target(str, Enum):
    """Where an environment runs."""

    LOCAL = "local"
    SAGEMAKER = "sagemaker"
    K8S = "k8s"


class Runtime(str, Enum):
    """How the local target runs an image. AUTO: Docker where an engine answers, the image's layers as a process otherwise."""

    AUTO = "auto"
    DOCKER = "docker"
    PROCESS = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentKey:
    """`<name>` in `<environment>` on a target."""

    environment: str
    name: str
    target: Target = Target.LOCAL

    def __str__(self) -> str:
        return f"{self.environment}/{self.name}"

    @property
    def tag(self) -> str:
        """The key of the model version tag that holds this deployment's record."""
        return f"dockyard.{self.environment}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """What decides how a local revision runs; a change makes a new revision."""

    runtime: Runtime
    """DOCKER or PROCESS: AUTO is decided before planning."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment variables for the model, sorted by name."""
    ready_timeout_seconds: int = READY_SECONDS
    grace_seconds: int = 25
    request_timeout_seconds: int = 60
    max_body_bytes: int = 100 * 1024 * 1024


class RevisionSettings(Protocol):
    """What decides how a revision runs on its target."""

    @property
    def env(self) -> tuple[tuple[str, str], ...]:
        """Environment variables for the model, sorted by name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSpec:
    """What a revision is: model, image, settings. Two equal specs are one revision. Each target has its own kind."""

    model: ModelIdentity
    fingerprint: Fingerprint
    settings: RevisionSettings

    @property
    def settings_hash(self) -> str:
        """First 16 hex digits of sha256 over the settings' canonical JSON."""
        return _hash(_settle_later(dataclasses.asdict(self))["settings"])

    @property
    def spec_hash(self) -> str:
        """First 16 hex digits of sha256 over the spec's canonical JSON; where the files came from does not count."""
        parts = _settle_later(dataclasses.asdict(self))
        del parts["model"]["source"], parts["model"]["registry"]
        return _hash(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpec(RevisionSpec):
    """A revision on this machine."""

    settings: LocalSettings


class RevisionStatus(str, Enum):
    """What a revision does at the moment it is looked at."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    """Its process or container ended, or restarts over and over."""


class ProofFailure(str, Enum):
    """How a revision failed on the model's own input example, which it answers before it is ready."""

    RAISES = "raises"
    DIFFERS = "differs"
    """It answers otherwise than at build time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One immutable generation of a deployment, as found on its target."""

    number: int
    spec: RevisionSpec
    image: ImageDigest
    status: RevisionStatus
    has_served: bool
    """Whether it ever got traffic: only such revisions are kept to roll back to."""
    created: str

    @property
    def is_running(self) -> bool:
        """Whether something of it is alive."""
        return self.status is not RevisionStatus.STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRevision(Revision):
    """A revision on this machine."""

    spec: LocalSpec
    address: str | None = None
    """`host:port` of the revision itself, past the forwarder, while it runs."""
    proof_failure: ProofFailure | None = None
    """What FAILED means, where its scorer could tell."""


def endpoint_url(port: int) -> str:
    """The URL that clients of a local deployment use."""
    return f"http://127.0.0.1:{port}"


def _settle_later(parts: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Leave out what came later and is not set: a revision that was there before keeps its name."""
    kept = {name: value for name, value in parts["settings"].items() if value is not None or name not in _CAME_LATER}
    return {**parts, "settings": kept}


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
