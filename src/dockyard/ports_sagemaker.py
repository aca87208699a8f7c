"""Owns the Protocols between SageMaker's use cases and an AWS account, at most five methods each. See `dockyard.ports`.

Every create and delete may be repeated: what is there as wanted, or gone already, is success. A name that is taken by something
else is ConflictError. Descriptions are read anew each time; the service shows changes late, and these wait until it does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.finding import Finding
from dockyard.domain.image import ImageDigest
from dockyard.domain.learning_container import LearningContainer
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Endpoint,
    Instances,
    ObservedSageMaker,
    SageMakerPolicy,
    SageMakerSettings,
    Scaling,
)
from dockyard.domain.sagemaker_component_steps import CreateComponent, CreateHostConfig, UpdateComponent
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    CreateRole,
    CreateShadowConfig,
    DeleteSupplies,
    RegisterPackage,
    UpdateEndpoint,
    UploadModel,
)
from dockyard.ports import ResolvedModel


class SageMakerAccount(Protocol):
    """What there is in an account and region."""

    def describe_deployment(self, key: DeploymentKey) -> ObservedSageMaker:
        """How a deployment is. Raises `aws-unreachable`, CredentialsError `credentials-refused`."""
        ...

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of which there is an endpoint, or a revision."""
        ...

    def list_orphans(self) -> tuple[str, ...]:
        """What is left of deployments that have neither endpoint nor history, and images and model data of Dockyard's that
        no model has; as a person names them. What is so new that a command may be making it at this moment is none of it.
        """
        ...

    def delete_orphans(self) -> None:
        """Delete them."""
        ...

    def derive_role(self, key: DeploymentKey) -> str:
        """ARN of the role that is, or would be, made for a deployment."""
        ...


class RevisionParts(Protocol):
    """The parts of revisions."""

    def upload_model(self, key: DeploymentKey, step: UploadModel, model: ResolvedModel) -> None:
        """Send a model's files to S3."""
        ...

    def create_model(self, key: DeploymentKey, step: CreateModel, image: ImageDigest) -> None:
        """Make a model that runs an image, given as `repository@sha256:…`."""
        ...

    def create_endpoint_config(self, key: DeploymentKey, step: CreateEndpointConfig) -> None:
        """Make an endpoint configuration with one variant."""
        ...

    def mark_served(self, name: str, *, on_model: bool = False) -> None:
        """Note on a revision that it has served: on its configuration, or on the model of one that has none."""
        ...

    def delete_revision(self, name: str, uploaded: UploadModel | None = None) -> None:
        """Delete a revision's configuration, model and model data, and its image where no other model of ours runs it.

        Where there is no model that says where its data is, `uploaded` does.
        One that an endpoint uses is refused: ConflictError `revision-in-use`.
        """
        ...


class ShadowConfigs(Protocol):
    """Endpoint configurations that have a revision in the shadow of another."""

    def create_shadow_config(self, key: DeploymentKey, step: CreateShadowConfig) -> None:
        """Make one out of two revisions that are there."""
        ...

    def delete_shadow_config(self, name: str) -> None:
        """Delete one. One that an endpoint uses is refused: ConflictError `revision-in-use`."""
        ...


class Revisions(RevisionParts, ShadowConfigs, Protocol):
    """Revisions, and what brings two of them together."""


class Endpoints(Protocol):
    """Endpoints themselves."""

    def describe_endpoint(self, name: str) -> Endpoint | None:
        """How an endpoint is now; None where there is none."""
        ...

    def create_endpoint(self, key: DeploymentKey, step: CreateEndpoint) -> None:
        """Begin to create an endpoint."""
        ...

    def update_endpoint(self, step: UpdateEndpoint) -> None:
        """Begin to roll a configuration out.

        Raises ConflictError `plan-stale` for an endpoint that is changing, or at neither of the step's configurations.
        """
        ...

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete an endpoint, with its scaling. Raises ConflictError `endpoint-busy` while it cannot be."""
        ...

    def read_logs(self, name: str, *, tail: int, since: datetime | None = None) -> tuple[str, ...]:
        """The last lines that its containers have logged, those at or after `since`; none where logs cannot be read."""
        ...


class Components(Protocol):
    """Inference components, each called as its endpoint, and the configurations of endpoints for them.

    How a component is, `Endpoints.describe_endpoint` tells.
    """

    def create_host_config(self, key: DeploymentKey, step: CreateHostConfig) -> None:
        """Make an endpoint configuration that has instances and no model."""
        ...

    def delete_host_config(self, name: str) -> None:
        """Delete one. One that an endpoint uses is refused: ConflictError `revision-in-use`."""
        ...

    def create_component(self, key: DeploymentKey, step: CreateComponent) -> None:
        """Begin to create a component on an endpoint in service."""
        ...

    def update_component(self, step: UpdateComponent) -> None:
        """Begin to replace its copies.

        Raises ConflictError `plan-stale` for one that is gone, changing, or at neither of the step's models, and
        `endpoint-busy` while its endpoint is changing.
        """
        ...

    def delete_component(self, name: str) -> None:
        """Begin to delete a component, with its scaling. Raises ConflictError `endpoint-busy` while it cannot be."""
        ...


class Repositories(Protocol):
    """Image repositories of the account."""

    def create_repository(self, key: DeploymentKey, name: str) -> None:
        """Make a repository."""
        ...

    def find_repository(self, name: str) -> str | None:
        """Where a repository is, as images are pushed to it: `host/name`; None where there is none."""
        ...

    def delete_image(self, name: str, digest: str) -> None:
        """Delete an image, unless a model of ours runs it."""
        ...


class LearningContainers(Protocol):
    """AWS Deep Learning Containers, as bases of images."""

    def find_reference(self, wanted: LearningContainer, settings: SageMakerSettings, python: str) -> str:
        """The address of the container for the region, the instances and a Python minor version. Contacts nothing.

        Raises NotFoundError `base-not-found`, which lists what there is, UsageError `dependency-missing`, `region-unknown`.
        """
        ...


class Supplies(Protocol):
    """What deployments need beside revisions and endpoint."""

    def create_role(self, key: DeploymentKey, step: CreateRole) -> None:
        """Make an execution role with the least that the revision needs."""
        ...

    def put_alarms(self, key: DeploymentKey, endpoint: str, policy: AlarmPolicy | None, *, of_component: bool = False) -> None:
        """Make the alarms be those of the policy."""
        ...

    def put_scaling(self, endpoint: str, scaling: Scaling | None, *, of_component: bool = False) -> None:
        """Make the scaling be that: of the variant's instances, or of the component's copies."""
        ...

    def delete_supplies(self, step: DeleteSupplies) -> None:
        """Delete repository, role and alarms."""
        ...


class Packages(Protocol):
    """Versions in SageMaker Model Registry. Deleting a revision deletes its own, and the group where that is left empty."""

    def register_package(self, key: DeploymentKey, step: RegisterPackage) -> str:
        """Make the version of a revision whose model is there, and return its ARN.

        Where it is in another group, it is moved. A group that was not made for the deployment is used, and stays.
        """
        ...


class Examiner(Protocol):
    """What `doctor sagemaker` asks of an account."""

    def check_settings(self, key: DeploymentKey, settings: SageMakerSettings, policy: SageMakerPolicy) -> None:
        """As Preflight."""
        ...

    def examine(self, key: DeploymentKey, settings: SageMakerSettings, package_group: str | None = None) -> tuple[Finding, ...]:
        """As Preflight."""
        ...

    def refresh_prices(self) -> Finding:
        """Fetch the region's prices and keep them on this machine; raises nothing."""
        ...


class Preflight(Protocol):
    """What can be known before anything is made."""

    def check_settings(self, key: DeploymentKey, settings: SageMakerSettings, policy: SageMakerPolicy) -> None:
        """Check every value that would be sent against the service's own model; nothing is contacted.

        Raises UsageError `setting-invalid`, which names the setting and what it may be.
        """
        ...

    def choose_platform(self, settings: SageMakerSettings) -> str:
        """The image platform of the instance family, as `linux/arm64`."""
        ...

    def examine(self, key: DeploymentKey, settings: SageMakerSettings, package_group: str | None = None) -> tuple[Finding, ...]:
        """Look at credentials, role, permissions, quota and places. Changes nothing.

        `package_group` is the one that revisions are registered in.
        """
        ...

    def describe_cost(self, settings: SageMakerSettings, policy: SageMakerPolicy) -> str | None:
        """What it costs by the hour and the month, with the date of the price; None where no price is known."""
        ...

    def describe_job_cost(self, instances: Instances) -> str | None:
        """What a batch transform job costs by the hour, with the date of the price; None where no price is known."""
        ...
