"""Owns the parts of revisions: models, endpoint configurations, model data on S3. Their names decide what is in them."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dockyard.adapters.sagemaker import requests
from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints, list_tags
from dockyard.adapters.sagemaker.errors import eventually, read_message, translated, unless_missing
from dockyard.adapters.sagemaker.packages import SageMakerPackages
from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.tags import SERVED, read_owner
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import ModelDelivery, derive_endpoint_name, derive_repository_name
from dockyard.domain.sagemaker_steps import CreateEndpointConfig, CreateModel, CreateShadowConfig, UploadModel
from dockyard.ports import Clock, ResolvedModel

_ROLE_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerRevisions:
    """The models and endpoint configurations of an account and region."""

    session: Session
    endpoints: SageMakerEndpoints
    repositories: EcrRepositories
    clock: Clock

    def upload_model(self, key: DeploymentKey, step: UploadModel, model: ResolvedModel) -> None:
        """Send a model's files to S3, as one archive or as they are."""
        settings = step.spec.settings
        place = urlsplit(requests.model_data(settings, step.name))
        client, name = self.session.client("s3"), place.path.lstrip("/")
        key_of_ours = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key} if settings.kms_key else {}
        extra = {"Metadata": self.mark_data(key.environment, step.name), **key_of_ours}
        with translated(f"s3:PutObject for {key}"):
            if settings.delivery is ModelDelivery.PREFIX:
                for file in sorted(path for path in model.folder.rglob("*") if path.is_file()):
                    target = name + file.relative_to(model.folder).as_posix()
                    client.upload_file(str(file), place.netloc, target, ExtraArgs=extra)
                return
            with tempfile.TemporaryFile() as archive:
                with tarfile.open(fileobj=archive, mode="w:gz") as tar:
                    tar.add(model.folder, arcname=".")
                archive.seek(0)
                client.upload_fileobj(archive, place.netloc, name, ExtraArgs=extra)

    def mark_data(self, environment: str, name: str) -> dict[str, str]:
        """The metadata of objects that are a model's data: what is in a bucket may be anybody's, also by its name."""
        return {"dockyard-environment": environment, "dockyard-model": self._arn("model", name)}

    def create_model(self, key: DeploymentKey, step: CreateModel, image: ImageDigest) -> None:
        """Make a model. A role that was just made takes a while until the service may assume it."""
        self.create_model_of(step.name, requests.create_model(key, step, image))

    def create_model_of(self, name: str, params: requests.Params) -> None:
        """Make the model of a request."""
        client = self.session.client("sagemaker")
        self._create(
            "sagemaker:CreateModel",
            lambda: eventually(lambda: client.create_model(**params), _is_late_role, _ROLE_SECONDS),
            lambda: requests.differs(_without_tags(params), client.describe_model(ModelName=name)),
        )

    def create_endpoint_config(self, key: DeploymentKey, step: CreateEndpointConfig) -> None:
        """Make an endpoint configuration."""
        self.create_config_of(step.name, requests.create_endpoint_config(key, step))

    def create_shadow_config(self, key: DeploymentKey, step: CreateShadowConfig) -> None:
        """Make an endpoint configuration out of two revisions."""
        self.create_config_of(step.name, requests.create_shadow_config(key, step))

    def create_config_of(self, name: str, params: requests.Params) -> None:
        """Make the endpoint configuration of a request."""
        client = self.session.client("sagemaker")
        self._create(
            "sagemaker:CreateEndpointConfig",
            lambda: eventually(lambda: client.create_endpoint_config(**params), _is_late_part, _ROLE_SECONDS),
            lambda: requests.differs(_without_tags(params), client.describe_endpoint_config(EndpointConfigName=name)),
        )

    def delete_shadow_config(self, name: str) -> None:
        """Delete one. Raises ConflictError `revision-in-use` for one that its endpoint uses."""
        owner = read_owner(list_tags(self.session, self._arn("endpoint-config", name)))
        if owner is not None:
            self._refuse_live(derive_endpoint_name(owner.key.environment, owner.key.name), name)
        client = self.session.client("sagemaker")
        unless_missing("sagemaker:DeleteEndpointConfig", lambda: client.delete_endpoint_config(EndpointConfigName=name))

    def mark_served(self, name: str, *, on_model: bool = False) -> None:
        """Note on a revision's configuration that it has served, and when; on its model, where it has none."""
        arn = self._arn("model" if on_model else "endpoint-config", name)
        value = self.clock.now().isoformat(timespec="seconds")
        with translated("sagemaker:AddTags"):
            self.session.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": SERVED, "Value": value}])

    def delete_revision(self, name: str, uploaded: UploadModel | None = None) -> None:
        """Delete package, configuration, model, model data and image, as far as they are there and nothing else needs them.

        The model goes last: as long as it is there, what is left of the revision is found again.
        Raises ConflictError `revision-in-use` for one that an endpoint serves or moves to: the service needs it to scale.
        """
        model = self.find_model(name)
        owner = read_owner([*list_tags(self.session, self._arn("endpoint-config", name)), *(model or {}).get("Tags", [])])
        if owner is not None:
            self._refuse_live(derive_endpoint_name(owner.key.environment, owner.key.name), name)
            SageMakerPackages(self.session).delete_package(owner.key, owner.package_group, name)
        client = self.session.client("sagemaker")
        unless_missing("sagemaker:DeleteEndpointConfig", lambda: client.delete_endpoint_config(EndpointConfigName=name))
        self.delete_data(name, _find_data(model) if model else _tell_data(uploaded))
        if model is not None and owner is not None:
            image = str(model["PrimaryContainer"]["Image"])
            repository = derive_repository_name(derive_endpoint_name(owner.key.environment, owner.key.name))
            self.repositories.delete_image(repository, image.rpartition("@")[2], besides=name)
        unless_missing("sagemaker:DeleteModel", lambda: client.delete_model(ModelName=name))

    def _create(self, what: str, create: Callable[[], object], compare: Callable[[], str | None]) -> None:
        """An answer that was lost, or a crash, leaves what we wanted: then it is there and is the same."""
        from botocore.exceptions import ClientError

        with translated(what):
            try:
                create()
            except ClientError as error:
                if "already existing" not in read_message(error):
                    raise
                difference = compare()
                if difference is not None:
                    raise ConflictError(
                        "name-taken",
                        f"{what}: what has this name differs in {difference}",
                        hint="somebody else made or changed it; delete it, or deploy under another `--name`",
                    ) from error

    def find_model(self, name: str) -> Mapping[str, Any] | None:
        """A model with its tags, as the service describes it; None where there is none."""
        client = self.session.client("sagemaker")
        found = unless_missing("sagemaker:DescribeModel", lambda: client.describe_model(ModelName=name))
        return None if found is None else {**found, "Tags": list_tags(self.session, found["ModelArn"])}

    def _refuse_live(self, endpoint_name: str, name: str) -> None:
        endpoint = self.endpoints.describe_endpoint(endpoint_name)
        if endpoint is not None and endpoint.uses(name):
            raise ConflictError(
                "revision-in-use", f"endpoint {endpoint_name} uses {name}", hint="deploy or roll back to another revision first"
            )

    def delete_data(self, name: str, source: str) -> None:
        """Delete a model's data: what lies at its S3 URI in the folder that is called as the model is."""
        if f"/{name}/" not in source:
            return
        place = urlsplit(source[: source.index(f"/{name}/")] + f"/{name}/")
        with translated("s3:DeleteObject"):
            client = self.session.client("s3")
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=place.netloc, Prefix=place.path.lstrip("/"))
            for page in pages:
                for entry in page.get("Contents", []):
                    client.delete_object(Bucket=place.netloc, Key=entry["Key"])

    def _arn(self, kind: str, name: str) -> str:
        account = self.session.account()
        return f"arn:{account.partition}:sagemaker:{account.region}:{account.id}:{kind}/{name}"


def _find_data(model: Mapping[str, Any]) -> str:
    """Where a model's data is; empty where there is none."""
    container = model["PrimaryContainer"]
    return str(container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri") or container.get("ModelDataUrl") or "")


def _tell_data(uploaded: UploadModel | None) -> str:
    """Where the data is that was uploaded for a model that was never made."""
    return requests.model_data(uploaded.spec.settings, uploaded.name) if uploaded else ""


def _is_late_role(error: Exception) -> bool:
    return "Could not assume role" in read_message(error)


def _is_late_part(error: Exception) -> bool:
    return read_message(error).startswith("Could not find model") or _is_late_role(error)


def _without_tags(params: requests.Params) -> requests.Params:
    return {name: value for name, value in params.items() if name != "Tags"}
