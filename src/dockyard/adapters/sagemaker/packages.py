"""Owns versions in SageMaker Model Registry: one for each revision that is registered, which lives as long as the revision.

In which group that is, a tag of the revision's model says. It is written before anything is made in the group, and goes with
the model, after all that: a command that is killed leaves nothing that is not found again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from dockyard.adapters.sagemaker import package_requests, requests
from dockyard.adapters.sagemaker.endpoints import list_tags
from dockyard.adapters.sagemaker.errors import eventually, is_missing, read_code, read_message, translated, unless_missing
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.tags import PACKAGE_GROUP, read_owner
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.sagemaker import SageMakerRevision
from dockyard.domain.sagemaker_package import RevisionPackage
from dockyard.domain.sagemaker_steps import RegisterPackage

_GOING = frozenset({"Failed", "Deleting"})


class SageMakerPackages:
    """The model packages of an account and region."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def register_package(self, key: DeploymentKey, step: RegisterPackage) -> str:
        """Make the version of a revision and return its ARN; one that is there is the one."""
        self._claim(key, step)
        found = self._find_versions(step.package.group, step.name)
        return found[0] if found else self._create(key, step)

    def find_packages(self, revisions: tuple[SageMakerRevision, ...]) -> tuple[SageMakerRevision, ...]:
        """The same revisions, with the versions that there are of them. Nothing is called where none is registered."""
        groups = {one.package.group for one in revisions if one.package is not None}
        there = {group: self._list_versions(group) for group in groups}
        return tuple(self._complete(one, one.package, there) if one.package else one for one in revisions)

    def delete_package(self, key: DeploymentKey, group: str | None, name: str) -> None:
        """Delete a revision's version, and its group if that was made for the deployment and is left empty.

        A group that is not empty though it seems to be has a version that is not to be seen yet, or not yet gone.
        """
        if group is not None:
            with translated("sagemaker:DeleteModelPackageGroup"):
                eventually(lambda: self._delete(key, group, name), _is_conflict)

    def _delete(self, key: DeploymentKey, group: str, name: str) -> None:
        there = self._list_versions(group)
        gone = [arn for arn, description in there.items() if _is_of(description, name)]
        for arn in gone:
            self._delete_version(arn)
        if len(gone) < len(there):
            return
        owner = read_owner(list_tags(self._session, self._arn("model-package-group", group)))
        if owner is not None and owner.key == key:
            self._delete_group(group)

    def _delete_version(self, arn: str) -> None:
        client = self._session.client("sagemaker")
        unless_missing("sagemaker:DeleteModelPackage", lambda: client.delete_model_package(ModelPackageName=arn))

    def _delete_group(self, group: str) -> None:
        from botocore.exceptions import ClientError

        try:
            self._session.client("sagemaker").delete_model_package_group(ModelPackageGroupName=group)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _complete(
        self, revision: SageMakerRevision, package: RevisionPackage, there: Mapping[str, Mapping[str, str]]
    ) -> SageMakerRevision:
        found = (arn for arn, description in there[package.group].items() if _is_of(description, revision.name))
        return dataclasses.replace(revision, package=dataclasses.replace(package, arn=next(found, None)))

    def _claim(self, key: DeploymentKey, step: RegisterPackage) -> None:
        """Note on the revision in which group it is, before anything of it is there."""
        model = self._arn("model", step.name)
        owner = read_owner(list_tags(self._session, model))
        before = owner.package_group if owner else None
        if before == step.package.group:
            return
        self.delete_package(key, before, step.name)
        with translated("sagemaker:AddTags"):
            tags = [{"Key": PACKAGE_GROUP, "Value": step.package.group}]
            self._session.client("sagemaker").add_tags(ResourceArn=model, Tags=tags)

    def _create(self, key: DeploymentKey, step: RegisterPackage) -> str:
        client = self._session.client("sagemaker")
        self._create_group(key, step)
        with translated("sagemaker:DescribeModel"):
            model = client.describe_model(ModelName=step.name)
        params = package_requests.create_package(
            key,
            step,
            model["PrimaryContainer"],
            made=model["CreationTime"].isoformat(),
            own_variables=requests.OWN_VARIABLES,
        )
        with translated("sagemaker:CreateModelPackage"):
            arn = str(eventually(lambda: client.create_model_package(**params), is_missing)["ModelPackageArn"])
        with translated("sagemaker:DescribeModelPackage"):
            eventually(lambda: client.describe_model_package(ModelPackageName=arn), is_missing)
        return arn

    def _create_group(self, key: DeploymentKey, step: RegisterPackage) -> None:
        """Make the group unless there is one, whose ever it is."""
        from botocore.exceptions import ClientError

        client, group = self._session.client("sagemaker"), step.package.group
        what = "sagemaker:DescribeModelPackageGroup"
        if unless_missing(what, lambda: client.describe_model_package_group(ModelPackageGroupName=group)) is not None:
            return
        with translated("sagemaker:CreateModelPackageGroup"):
            try:
                client.create_model_package_group(**package_requests.create_group(key, step))
            except ClientError as error:
                if "already exists" not in read_message(error):
                    raise

    def _find_versions(self, group: str, name: str) -> list[str]:
        return [arn for arn, description in self._list_versions(group).items() if _is_of(description, name)]

    def _list_versions(self, group: str) -> dict[str, str]:
        """ARN and description of what there is in a group; nothing where there is no such group."""
        pages = self._session.client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        what = "sagemaker:ListModelPackages"
        found = unless_missing(what, lambda: [one for page in pages for one in page["ModelPackageSummaryList"]])
        there = (one for one in found or () if one["ModelPackageStatus"] not in _GOING)
        return {str(one["ModelPackageArn"]): str(one.get("ModelPackageDescription", "")) for one in there}

    def _arn(self, kind: str, name: str) -> str:
        account = self._session.account()
        return f"arn:{account.partition}:sagemaker:{account.region}:{account.id}:{kind}/{name.lower()}"


def _is_of(description: str, name: str) -> bool:
    return description.startswith(package_requests.begin_description(name))


def _is_conflict(error: Exception) -> bool:
    return read_code(error) == "ConflictException"
