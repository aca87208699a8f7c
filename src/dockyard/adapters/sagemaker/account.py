"""Owns the look at an account: which deployments there are, and what there is of each. Must not change anything but orphans."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockyard.adapters.sagemaker import requests
from dockyard.adapters.sagemaker.endpoints import SageMakerEndpoints, list_tags
from dockyard.adapters.sagemaker.errors import translated, unless_missing
from dockyard.adapters.sagemaker.jobs import SageMakerJobs
from dockyard.adapters.sagemaker.leftovers import REVISION, Leftovers
from dockyard.adapters.sagemaker.packages import SageMakerPackages
from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.supplies import SageMakerSupplies
from dockyard.adapters.sagemaker.tags import Owner, read_owner
from dockyard.domain.deployment import DeploymentKey, RevisionStatus
from dockyard.domain.image import ImageDigest
from dockyard.domain.sagemaker import (
    Endpoint,
    ObservedSageMaker,
    SageMakerRevision,
    derive_endpoint_name,
    derive_repository_name,
    derive_revision_name,
    derive_role_name,
    revision_name_stem,
)
from dockyard.domain.sagemaker_batch import job_name_stem
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.domain.sagemaker_package import RevisionPackage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One resource of a revision."""

    arn: str
    owner: Owner
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccount:
    """An account in a region, as one environment sees it."""

    environment: str
    session: Session
    endpoints: SageMakerEndpoints
    revisions: SageMakerRevisions
    repositories: EcrRepositories
    supplies: SageMakerSupplies
    data_folder: str | None = None
    """S3 URI below which the environment's model data lies; None where that is in the images."""

    def describe_deployment(self, key: DeploymentKey) -> ObservedSageMaker:
        """How a deployment is."""
        account = self.session.account()
        name = derive_endpoint_name(key.environment, key.name)
        endpoint = self.endpoints.describe_endpoint(name)
        there = tuple(self._list_named(revision_name_stem(name)))
        revisions = SageMakerPackages(self.session).find_packages(tuple(self._list_revisions(key, there, endpoint)))
        serving = _find_serving(endpoint, revisions)
        others = dict(self._list_other_configs(key, there, {one.name for one in revisions}))
        return ObservedSageMaker(
            key=key,
            account=account,
            endpoint=endpoint,
            revisions=revisions,
            serving=serving,
            serving_since=endpoint.changed if endpoint and serving else None,
            next_number=max((one.number for one in revisions), default=0) + 1,
            repository=self.repositories.find_repository(derive_repository_name(name)),
            shadow_configs=tuple(one for one, owner in others.items() if owner.is_for_shadow),
            host_configs=tuple(one for one, owner in others.items() if owner.is_for_host),
            has_own_role=self.supplies.has_role(derive_role_name(name)),
            alarms=self.supplies.find_alarms(name),
            scaling=self.supplies.find_scaling(name, of_component=isinstance(endpoint, HostEndpoint)),
        )

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of the environment of which there is an endpoint or a revision."""
        client = self.session.client("sagemaker")
        with translated("sagemaker:ListEndpoints"):
            pages = client.get_paginator("list_endpoints").paginate()
            arns = [str(one["EndpointArn"]) for page in pages for one in page["Endpoints"]]
        arns += [arn for _, arn in self._list_named("")]
        owners = (read_owner(list_tags(self.session, arn)) for arn in arns)
        own = (owner for owner in owners if owner is not None and owner.key.environment == self.environment)
        keys = {owner.key for owner in own if not owner.is_for_jobs}
        return tuple(sorted(keys, key=lambda key: key.name))

    def list_orphans(self) -> tuple[str, ...]:
        """The environment's revisions that have no endpoint and have never served, models of jobs, and what no model needs."""
        revisions = (f"model {name}" for name, _ in self._find_orphans())
        return (*revisions, *(one.title for one in self._leftovers.find_all()))

    def delete_orphans(self) -> None:
        """Delete them."""
        leftovers = tuple(self._leftovers.find_all())
        for name, _ in self._find_orphans():
            self.revisions.delete_revision(name)
        for one in leftovers:
            one.delete()

    def derive_role(self, key: DeploymentKey) -> str:
        """ARN of the role that is, or would be, made for a deployment."""
        account = self.session.account()
        name = derive_role_name(derive_endpoint_name(key.environment, key.name))
        return f"arn:{account.partition}:iam::{account.id}:role/{name}"

    @property
    def _leftovers(self) -> Leftovers:
        return Leftovers(
            environment=self.environment,
            session=self.session,
            endpoints=self.endpoints,
            revisions=self.revisions,
            repositories=self.repositories,
            supplies=self.supplies,
            data_folder=self.data_folder,
        )

    def _find_orphans(self) -> list[tuple[str, Owner]]:
        found: dict[str, Owner] = {}
        for name, arn in self._list_named(""):
            owner = read_owner(list_tags(self.session, arn))
            if owner is not None and owner.key.environment == self.environment:
                known = found.get(name)
                found[name] = owner if known is None or owner.has_served else known
        return [(name, one) for name, one in found.items() if self._is_orphan(name, one)]

    def _is_orphan(self, name: str, owner: Owner) -> bool:
        if owner.is_for_jobs:
            stem = job_name_stem(derive_endpoint_name(owner.key.environment, owner.key.name))
            return name not in SageMakerJobs(self.session).list_models_in_use(stem)
        return not owner.has_served and self._has_no_endpoint(owner.key)

    def _has_no_endpoint(self, key: DeploymentKey) -> bool:
        return self.endpoints.describe_endpoint(derive_endpoint_name(key.environment, key.name)) is None

    def _list_named(self, stem: str) -> Iterator[tuple[str, str]]:
        """Name and ARN of all models and configurations whose names are those of revisions, `stem` before the hash."""
        client = self.session.client("sagemaker")
        options = {"NameContains": stem} if stem else {}
        lists = (("list_models", "Models", "Model"), ("list_endpoint_configs", "EndpointConfigs", "EndpointConfig"))
        for operation, plural, singular in lists:
            with translated(f"sagemaker:{operation}"):
                pages = client.get_paginator(operation).paginate(**options)
                entries = [entry for page in pages for entry in page[plural]]
            for entry in entries:
                match = REVISION.fullmatch(str(entry[f"{singular}Name"]))
                if match is not None and stem in {"", match["stem"]}:
                    yield match.group(), str(entry[f"{singular}Arn"])

    def _list_other_configs(
        self, key: DeploymentKey, there: tuple[tuple[str, str], ...], revisions: set[str]
    ) -> Iterator[tuple[str, Owner]]:
        """Names of the deployment's configurations that are no revision's, and what they are for."""
        for name, arn in there:
            if ":endpoint-config/" in arn and name not in revisions:
                owner = read_owner(list_tags(self.session, arn))
                if owner is not None and owner.key == key:
                    yield name, owner

    def _list_revisions(
        self, key: DeploymentKey, there: tuple[tuple[str, str], ...], endpoint: Endpoint | None
    ) -> list[SageMakerRevision]:
        arns: dict[str, list[str]] = {}
        for name, arn in there:
            arns.setdefault(name, []).append(arn)
        found = (self._read_revision(key, name, sorted(parts), endpoint) for name, parts in arns.items())
        return sorted((one for one in found if one is not None), key=lambda one: one.number)

    def _read_revision(
        self, key: DeploymentKey, name: str, arns: list[str], endpoint: Endpoint | None
    ) -> SageMakerRevision | None:
        """A revision out of its parts; None where it is another deployment's, or its tags have been changed."""
        owners = [owner for owner in (read_owner(list_tags(self.session, arn)) for arn in arns) if owner is not None]
        owner = next((one for one in owners if one.key == key and one.spec is not None and one.number is not None), None)
        if owner is None or owner.spec is None or owner.number is None:
            return None
        model = self._describe_model(name)
        container = model["PrimaryContainer"] if model else {}
        env = {name: value for name, value in container.get("Environment", {}).items() if name not in requests.OWN_VARIABLES}
        settings = dataclasses.replace(owner.spec.settings, env=tuple(sorted(env.items())))
        spec = dataclasses.replace(owner.spec, settings=settings)
        if model is not None and derive_revision_name(derive_endpoint_name(key.environment, key.name), spec.spec_hash) != name:
            return None
        return SageMakerRevision(
            number=owner.number,
            name=name,
            spec=spec,
            image=ImageDigest(str(container.get("Image", ""))),
            status=endpoint.describe_revision(name) if endpoint else RevisionStatus.STOPPED,
            has_served=any(one.has_served for one in owners),
            created=model["CreationTime"].isoformat() if model else "",
            has_model=model is not None,
            has_config=any(":endpoint-config/" in arn for arn in arns),
            package=next((RevisionPackage(group=one.package_group) for one in owners if one.package_group), None),
        )

    def _describe_model(self, name: str) -> Mapping[str, Any] | None:
        client = self.session.client("sagemaker")
        return unless_missing("sagemaker:DescribeModel", lambda: client.describe_model(ModelName=name))


def _find_serving(endpoint: Endpoint | None, revisions: tuple[SageMakerRevision, ...]) -> int | None:
    """An endpoint that is being created, or failed to be, serves nothing."""
    serving = endpoint.serving_config if endpoint else None
    return next((one.number for one in revisions if one.name == serving), None)
