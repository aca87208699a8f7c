"""Owns Settings: the configuration after flags, environment variables, file and defaults are merged. Must not read anything.

Every value knows where it came from. A secret is a reference until somebody needs it; an adapter looks it up then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from dockyard.domain.deployment import Runtime, Target
from dockyard.domain.errors import UsageError
from dockyard.domain.image import ImageSettings
from dockyard.domain.k8s import K8sPlace
from dockyard.domain.sagemaker_place import SageMakerPlace

DEFAULT_ENVIRONMENT = "local"
"""The environment that there is without a configuration file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """Where a secret is: in an environment variable, or in a file. Exactly one is set."""

    env: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        return f"environment variable {self.env}" if self.env is not None else f"file {self.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """Where the MLflow registry is. None: MLflow's own default; a reference where the address holds a password."""

    tracking_uri: str | SecretRef | None = field(default=None, repr=False)
    registry_uri: str | SecretRef | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryCredentials:
    """Who we are to an image registry."""

    host: str
    """Host and port, as in an image's name."""
    username: str | SecretRef
    password: SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAccess:
    """How image registries are reached."""

    mirrors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """For each registry host the addresses that are asked first, in order."""
    insecure_registries: tuple[str, ...] = ()
    """Hosts that are spoken to over plain HTTP."""
    credentials: tuple[RegistryCredentials, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """A named place to deploy to."""

    name: str
    target: Target = Target.LOCAL
    runtime: Runtime = Runtime.AUTO
    port: int | None = None
    """None: the one that the deployment has, else any free one."""
    env: tuple[tuple[str, str | SecretRef], ...] = field(default=(), repr=False)
    """Environment variables for the model, sorted by name."""
    ready_timeout_seconds: int | None = None
    """None: 120, on Kubernetes more where what was measured of the image asks for it."""
    grace_seconds: int = 25
    request_timeout_seconds: int = 60
    max_body_bytes: int = 100 * 1024 * 1024
    history_limit: int = 5
    smoke_requests: int = 20
    is_configured: bool = True
    """Whether somebody has said anything about it; `local`, `sagemaker` and `k8s` are there in any case."""
    sagemaker: SageMakerPlace = field(default_factory=SageMakerPlace)
    """What it says about SageMaker, where that is the target."""
    k8s: K8sPlace = field(default_factory=K8sPlace)
    """What it says about Kubernetes, where that is the target."""


class Source(str, Enum):
    """Where a value came from, weakest first."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """One value of the configuration and where it came from."""

    path: str
    """The key, as `environments.prod.port`."""
    value: object
    """The value as it may be shown: secrets are `***`."""
    source: Source
    origin: str | None = None
    """The environment variable, the flag, or `dockyard.yaml:12`; None for a default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of the configuration."""

    state_home: Path
    """What must survive: deployments, journals, the queue of records."""
    cache_home: Path
    """What may be deleted at any time: downloads, layers, images."""
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    image: ImageSettings = field(default_factory=ImageSettings)
    access: ImageAccess = field(default_factory=ImageAccess)
    environments: tuple[EnvironmentSettings, ...] = (EnvironmentSettings(name=DEFAULT_ENVIRONMENT),)
    """`local` is among them, whether or not the file has it."""
    config_file: Path | None = None
    provenance: tuple[Provenance, ...] = field(default=(), repr=False)

    def find_environment(self, name: str) -> EnvironmentSettings:
        """The environment of that name.

        Raises UsageError `environment-unknown`.
        """
        found = next((one for one in self.environments if one.name == name), None)
        if found is None:
            there = ", ".join(f"`{one.name}`" for one in self.environments)
            hint = f"known: {there}; others are added under `environments` in dockyard.yaml"
            raise UsageError("environment-unknown", f"environment `{name}` is not configured", hint=hint)
        return found
