"""What the control plane needs of the services around it, as narrow ports.

Owns the words. Must not implement them: `neighbours` does with moto; tests pass their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.runner import Container, ContainerSpec


class ModelDataError(Exception):
    """The model's data cannot be had; `reason` is a sentence for FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TransformError(Exception):
    """A transform job failed; `reason` is a sentence for FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """Where a model's data is: a `tar.gz` (`compressed`) or an uncompressed prefix that ends with `/`."""

    uri: str
    compressed: bool
    role_arn: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformOrder:
    """What a transform job needs in order to run. `request` is CreateTransformJob's."""

    name: str
    region: str
    request: Fields
    start_container: Callable[[], Container]
    """Starts the model's container and returns it once `/ping` passes; the caller stops it. Raises TransformError."""
    is_stopping: Callable[[], bool]


class Fleet(Protocol):
    """Starts the containers of one variant: one for each instance, or fewer that the instances share."""

    def start(self, spec: ContainerSpec, count: int) -> Sequence[Container]:
        """At least one container when `count` is. Raises ImagePullError, ContainerError, with nothing left running."""
        ...


class Alarms(Protocol):
    """CloudWatch's alarms."""

    def find_alarming(self, region: str, names: Sequence[str]) -> tuple[str, ...]:
        """Those of these alarms that are in state ALARM now."""
        ...


class Roles(Protocol):
    """IAM's roles."""

    def is_assumable(self, role_arn: str) -> bool:
        """Whether the role exists and its trust policy lets `sagemaker.amazonaws.com` assume it."""
        ...


class Images(Protocol):
    """What is known of images."""

    def find_architectures(self, image: str) -> frozenset[str]:
        """The architectures that an image is for, such as `amd64`; empty where it is not known."""
        ...


class ModelData(Protocol):
    """Models' data in S3."""

    def is_there(self, source: ModelSource) -> bool:
        """Whether there is an object (`compressed`) or at least one under the prefix."""
        ...

    def fetch(self, source: ModelSource) -> Path:
        """A folder with the data, unpacked; may be shared by containers, which see it read-only. Raises ModelDataError."""
        ...


class Logs(Protocol):
    """CloudWatch Logs. Must be quick: called for every line that a container prints."""

    def write(self, region: str, group: str, stream: str, line: str) -> None:
        """Append a line to a stream, which is made if it is not there."""
        ...


class Transforms(Protocol):
    """Runs batch transform jobs."""

    def run(self, order: TransformOrder) -> None:
        """Returns when every object has been transformed, or the job is being stopped. Raises TransformError."""
        ...


class NoAlarms:
    """No alarm ever goes off."""

    def find_alarming(self, region: str, names: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        """None of them."""
        return ()


class AnyRole:
    """Every role exists and trusts SageMaker."""

    def is_assumable(self, role_arn: str) -> bool:
        """Whether there is a role named."""
        return bool(role_arn)


class UnknownImages:
    """Nothing is known of any image."""

    def find_architectures(self, image: str) -> frozenset[str]:  # noqa: ARG002
        """None."""
        return frozenset()


class NoModelData:
    """S3 is empty."""

    def is_there(self, source: ModelSource) -> bool:  # noqa: ARG002
        """Nothing is."""
        return False

    def fetch(self, source: ModelSource) -> Path:
        """Never succeeds."""
        raise ModelDataError(f"Could not access model data at {source.uri}.")


class NoLogs:
    """Forgets what is logged."""

    def write(self, region: str, group: str, stream: str, line: str) -> None:
        """Nothing is kept."""


class NoTransforms:
    """Cannot run jobs."""

    def run(self, order: TransformOrder) -> None:
        """Never succeeds."""
        raise TransformError(f"Transform job {order.name} cannot run: this sandbox was started without S3.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything around the control plane. The defaults are an account where everything is there and nothing is wrong."""

    alarms: Alarms = field(default_factory=NoAlarms)
    roles: Roles = field(default_factory=AnyRole)
    images: Images = field(default_factory=UnknownImages)
    model_data: ModelData = field(default_factory=NoModelData)
    logs: Logs = field(default_factory=NoLogs)
    transforms: Transforms = field(default_factory=NoTransforms)
