"""Owns finding what commands that were killed left outside SageMaker: image repositories, images, and model data on S3.

Only what bears Dockyard's marks of the environment is looked at. What is so new that a command may be about to use it is left
alone, wherever that command runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints
from dockyard.adapters.sagemaker.errors import translated, unless_missing
from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.supplies import SageMakerSupplies
from dockyard.adapters.sagemaker.tags import read_owner
from dockyard.domain.sagemaker import derive_endpoint_name, derive_repository_name, derive_role_name
from dockyard.domain.sagemaker_steps import DeleteSupplies

REVISION = re.compile(r"(?P<stem>.+)-[0-9a-f]{16}")
"""What the names of models and configurations look like, and those of folders with model data."""
_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
_NEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A thing that nothing needs."""

    title: str
    """For people: what it is, and its name."""
    delete: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """Those of an environment in an account and region."""

    environment: str
    session: Session
    endpoints: SageMakerEndpoints
    revisions: SageMakerRevisions
    repositories: EcrRepositories
    supplies: SageMakerSupplies
    data_folder: str | None
    """S3 URI below which the environment's model data lies; None where that is in the images."""

    def find_all(self) -> Iterator[Leftover]:
        """What no endpoint and no model needs."""
        for repository in self._list_repositories():
            yield from self._look_into(repository)
        if self.data_folder is not None:
            place = urlsplit(self.data_folder)
            yield from self._find_data(place.netloc, place.path.strip("/"))

    def _list_repositories(self) -> list[Mapping[str, Any]]:
        with translated("ecr:DescribeRepositories"):
            pages = self.session.client("ecr").get_paginator("describe_repositories").paginate()
            found = [one for page in pages for one in page["repositories"]]
        return [one for one in found if str(one["repositoryName"]).startswith(derive_repository_name(""))]

    def _look_into(self, repository: Mapping[str, Any]) -> Iterator[Leftover]:
        """The repository where nothing is left of its deployment, else the images in it that no model runs."""
        name, endpoint = str(repository["repositoryName"]), self._find_endpoint(repository)
        if endpoint is None:
            return
        images = self._list_images(name)
        run = {image.rpartition("@")[2] for image in self.repositories.list_run(endpoint)}
        if run:
            unused = (one for one in images if one["imageDigest"] not in run and one.get("imageManifestMediaType") == _IMAGE)
            old = (str(one["imageDigest"]) for one in unused if self._is_old(one["imagePushedAt"]))
            yield from (self._leave_image(name, digest) for digest in old)
            return
        times = (repository["createdAt"], *(one["imagePushedAt"] for one in images))
        if all(map(self._is_old, times)) and self.endpoints.describe_endpoint(endpoint) is None:
            yield self._leave_supplies(endpoint, name)

    def _find_endpoint(self, repository: Mapping[str, Any]) -> str | None:
        """Whose a repository is, by its tags and its name; None where it is not of this environment."""
        client = self.session.client("ecr")
        what = "ecr:ListTagsForResource"
        tags = unless_missing(what, lambda: client.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"])
        owner = read_owner(tags or ())
        if owner is None or owner.key.environment != self.environment:
            return None
        endpoint = derive_endpoint_name(owner.key.environment, owner.key.name)
        return endpoint if derive_repository_name(endpoint) == repository["repositoryName"] else None

    def _list_images(self, repository: str) -> list[Mapping[str, Any]]:
        pages = self.session.client("ecr").get_paginator("describe_images").paginate(repositoryName=repository)
        return unless_missing("ecr:DescribeImages", lambda: [one for page in pages for one in page["imageDetails"]]) or []

    def _find_data(self, bucket: str, prefix: str) -> Iterator[Leftover]:
        """The folders of model data whose models are not there."""
        client, above = self.session.client("s3"), f"{prefix}/" if prefix else ""
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=above, Delimiter="/")
        found = unless_missing("s3:ListBucket", lambda: [one for page in pages for one in page.get("CommonPrefixes", ())])
        for folder in (str(one["Prefix"]) for one in found or ()):
            name = folder[len(above) :].rstrip("/")
            if REVISION.fullmatch(name) and self.revisions.find_model(name) is None and self._is_ours(bucket, folder, name):
                yield self._leave_data(name, f"s3://{bucket}/{folder}")

    def _is_ours(self, bucket: str, folder: str, name: str) -> bool:
        """Whether the objects were uploaded for a model of that name, here and by this environment, and not just now."""
        client = self.session.client("s3")
        with translated("s3:ListBucket"):
            objects = client.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", [])
        if not objects or not all(self._is_old(one["LastModified"]) for one in objects):
            return False
        head = unless_missing("s3:GetObject", lambda: client.head_object(Bucket=bucket, Key=objects[0]["Key"]))
        marks = head["Metadata"] if head else {}
        wanted: Mapping[str, str] = self.revisions.mark_data(self.environment, name)
        return {key: marks.get(key) for key in wanted} == wanted

    def _leave_data(self, name: str, uri: str) -> Leftover:
        return Leftover(title=f"model data {uri}", delete=lambda: self.revisions.delete_data(name, uri))

    def _leave_image(self, repository: str, digest: str) -> Leftover:
        return Leftover(title=f"image {repository}@{digest}", delete=lambda: self.repositories.delete_image(repository, digest))

    def _leave_supplies(self, endpoint: str, repository: str) -> Leftover:
        role = derive_role_name(endpoint)
        step = DeleteSupplies(
            endpoint=endpoint, repository=repository, role=role if self.supplies.has_role(role) else None, has_alarms=True
        )
        also = f", and role {role}" if step.role else ""
        return Leftover(title=f"repository {repository}{also}", delete=lambda: self.supplies.delete_supplies(step))

    def _is_old(self, since: datetime) -> bool:
        return self.revisions.clock.now() - since > _NEW
