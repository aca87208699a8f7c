"""Owns what may stand in `dockyard.yaml`: keys, types, defaults and meaning. Must not know where values come from.

The JSON Schema and the reference page are made from these classes, docstrings included. Names of fields are the keys.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from dockyard.adapters.config_k8s import K8s
from dockyard.adapters.config_sagemaker import SageMaker
from dockyard.adapters.config_section import Section, Text
from dockyard.domain.deployment import Runtime, Target
from dockyard.domain.errors import UsageError
from dockyard.domain.image import BuilderKind, ImageSettings, MediaFormat
from dockyard.domain.names import check_name
from dockyard.domain.settings import EnvironmentSettings

_IMAGE = ImageSettings()
_ENVIRONMENT = EnvironmentSettings(name="default")
_SECRET_WORDS = frozenset({"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS"})
_SECRET_NAME = re.compile(r"(?:API|PRIVATE|ACCESS)_?KEY\Z")


class Reference(Section):
    """Where a secret is: exactly one of `env` and `file`."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds the secret."""
    file: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    """The file that holds the secret; a line end after it does not count."""

    @model_validator(mode="after")
    def _check_one(self) -> Reference:
        if (self.env is None) == (self.file is None):
            raise PydanticCustomError("reference", "must be {env: NAME} or {file: PATH}")
        return self


def _check_address(value: str) -> str:
    """Refuse an address that holds a password: it would stand in the file in plain text."""
    if has_password(value):
        raise PydanticCustomError("plain_secret", "holds a password in plain text; refer to it: {env: NAME} or {file: PATH}")
    return value


def has_password(value: str) -> bool:
    """Whether an address holds a password."""
    try:
        return bool(urlsplit(value).password)
    except ValueError:
        return "@" in value


def _check_environment_name(value: str) -> str:
    try:
        return check_name("environment", value)
    except UsageError as error:
        raise PydanticCustomError("name", "is not a valid environment name; {hint}", {"hint": error.hint or ""}) from error


def _choose_form(value: object) -> str:
    return "=reference" if isinstance(value, dict | Reference) else "=text"


Address = Annotated[Text, AfterValidator(_check_address)]
TextReference = Annotated[Reference, Tag("=reference")]
TextOrReference = Annotated[Annotated[Text, Tag("=text")] | TextReference, Discriminator(_choose_form)]
AddressOrReference = Annotated[Annotated[Address, Tag("=text")] | TextReference, Discriminator(_choose_form)]
AnyTextOrReference = Annotated[Annotated[str, Tag("=text")] | TextReference, Discriminator(_choose_form)]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\-\[\]]+(:[0-9]{1,5})?$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
EnvironmentName = Annotated[str, AfterValidator(_check_environment_name)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


class Registry(Section):
    """The MLflow registry that models come from and records go to."""

    tracking_uri: AddressOrReference | None = None
    """Address of the MLflow tracking server or store. Without it MLflow's own `MLFLOW_TRACKING_URI`, then MLflow's default."""
    registry_uri: AddressOrReference | None = None
    """Address of the model registry, where it is not the tracking server."""


class Credentials(Section):
    """Who we are to an image registry."""

    host: Host
    """The registry's host and port, as in an image's name."""
    username: TextOrReference
    """The user's name, or a reference to it."""
    password: Reference
    """A reference to the password or token."""


class Image(Section):
    """How images are made and where they go."""

    builder: BuilderKind = _IMAGE.builder
    """`direct` needs no Docker engine; `engine` has Docker build it; `auto` takes `direct` unless it cannot serve the model."""
    base: Text | None = _IMAGE.base
    """The base image; `{python}` stands for the model's minor version. `host`: none. `dlc:pytorch`, `dlc:pytorch@2.6`: the AWS
    Deep Learning Container for SageMaker's instances, with the extra `sagemaker-sdk`. Without the key: `host`
    where the image will run as a process, and `docker.io/library/python:{python}-slim-bookworm` otherwise."""
    platform: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$")] = _IMAGE.platform
    """Operating system and architecture of the image."""
    format: MediaFormat = _IMAGE.format
    """Media types of manifest and layers; SageMaker takes `docker` only."""
    repository: Text | None = _IMAGE.repository
    """Where `build --push` and `deploy k8s` send images, without tag: `registry.example.com/team/models`."""
    mirrors: dict[Host, list[Address]] = {}
    """For each registry host the addresses that are asked first, in order."""
    insecure_registries: list[Host] = []
    """Hosts that are spoken to over plain HTTP."""
    system_packages: list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.\-]+$")]] = []
    """Debian packages that models need at run time; they need the engine builder."""
    credentials: list[Credentials] = []
    """Credentials of image registries, by reference. Without an entry Docker's own configuration is asked."""


class Environment(Section):
    """A named place to deploy to."""

    target: Target = _ENVIRONMENT.target
    """Where it runs."""
    runtime: Runtime = _ENVIRONMENT.runtime
    """`docker`: a container. `process`: the image's layers under the host's Python. `auto`: Docker where an engine answers."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = _ENVIRONMENT.port
    """The port that clients use. Without it the one that the deployment has, else any free one."""
    env: dict[Variable, AnyTextOrReference] = {}
    """Environment variables for the model. A secret is a reference."""
    ready_timeout_seconds: Seconds | None = _ENVIRONMENT.ready_timeout_seconds
    """How long a revision may take to become ready. Without it 120 seconds, and on Kubernetes more for
    an image that was measured to load slowly."""
    grace_seconds: Seconds = _ENVIRONMENT.grace_seconds
    """How long a revision may take to finish its requests when it is stopped."""
    request_timeout_seconds: Seconds = _ENVIRONMENT.request_timeout_seconds
    """How long one prediction may take."""
    max_body_bytes: Annotated[int, Field(ge=1, le=2**31)] = _ENVIRONMENT.max_body_bytes
    """The largest request body that is taken."""
    history_limit: Annotated[int, Field(ge=1, le=1000)] = _ENVIRONMENT.history_limit
    """How many revisions that have served are kept to roll back to, the serving one included."""
    smoke_requests: Annotated[int, Field(ge=1, le=10_000)] = _ENVIRONMENT.smoke_requests
    """How many requests the smoke test sends before a revision gets traffic."""

    sagemaker: SageMaker = SageMaker()
    """How it runs on SageMaker, where that is the target."""
    k8s: K8s = K8s()
    """How it runs on Kubernetes, where that is the target."""

    @field_validator("env")
    @classmethod
    def _check_secrets(cls, value: dict[str, str | Reference]) -> dict[str, str | Reference]:
        names = ", ".join(f"`{name}`" for name, one in value.items() if isinstance(one, str) and is_secret_name(name))
        if names:
            text = "{names} would be a secret in plain text; refer to it: {env: NAME} or {file: PATH}"
            raise PydanticCustomError("plain_secret", text, {"names": names})
        return value


class Configuration(Section):
    """The configuration of Dockyard, `dockyard.yaml`. Every key may be left out."""

    registry: Registry = Registry()
    """The MLflow registry that models come from and records go to."""
    image: Image = Image()
    """How images are made and where they go."""
    environments: dict[EnvironmentName, Environment] = {}
    """Named places to deploy to. `local` is there without being configured."""


def is_secret_name(name: str) -> bool:
    """Whether an environment variable's name says that it holds a secret."""
    upper = name.upper()
    return bool(_SECRET_WORDS.intersection(upper.split("_")) or _SECRET_NAME.search(upper))
