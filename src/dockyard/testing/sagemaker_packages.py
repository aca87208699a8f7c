"""Owns the in-memory model registry of SageMaker, beside the account of `dockyard.testing.sagemaker`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError
from dockyard.domain.sagemaker_package import Approval, RevisionPackage
from dockyard.domain.sagemaker_steps import RegisterPackage
from dockyard.testing.sagemaker_parts import ACCOUNT

if TYPE_CHECKING:
    from dockyard.testing.sagemaker import MemoryAccount


@dataclass(kw_only=True)
class Group:
    """A model package group."""

    owner: DeploymentKey | None
    """The deployment that it was made for; None: somebody else's."""
    last: int = 0
    versions: dict[str, tuple[str, Approval]] = field(default_factory=dict)
    """ARN and approval, by the name of the revision."""


@dataclass(kw_only=True)
class PackageShelf:
    """The groups of an account, and in which of them revisions are."""

    groups: dict[str, Group] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """Group by the name of the revision."""

    def find(self, name: str) -> RevisionPackage | None:
        """Where a revision is registered."""
        group = self.places.get(name)
        if group is None:
            return None
        there = self.groups[group].versions.get(name) if group in self.groups else None
        return RevisionPackage(group=group, arn=there[0] if there else None)

    def drop(self, name: str) -> None:
        """Delete a revision's version, and a group that was made for its deployment and is left empty."""
        place = self.places.pop(name, None)
        group = self.groups.get(place or "")
        if place is None or group is None:
            return
        group.versions.pop(name, None)
        if group.owner is not None and not group.versions:
            del self.groups[place]

    def put(self, key: DeploymentKey, step: RegisterPackage) -> str:
        """Make a version, unless it is there."""
        if self.places.get(step.name) not in {None, step.package.group}:
            self.drop(step.name)
        self.places[step.name] = step.package.group
        group = self.groups.setdefault(step.package.group, Group(owner=key))
        if step.name not in group.versions:
            group.last += 1
            place = f"{ACCOUNT.region}:{ACCOUNT.id}:model-package/{step.package.group.lower()}/{group.last}"
            group.versions[step.name] = (f"arn:{ACCOUNT.partition}:sagemaker:{place}", step.package.approval)
        return group.versions[step.name][0]


@dataclass(kw_only=True)
class MemoryPackages:
    """Packages in memory."""

    account: MemoryAccount

    def register_package(self, key: DeploymentKey, step: RegisterPackage) -> str:
        """Make the version of a revision that is there."""
        with self.account.faults.watch(f"register_package {step.name}"):
            if step.name not in self.account.models:
                raise DockyardError("aws-refused", f"Could not find model {step.name}")
            return self.account.packages.put(key, step)
