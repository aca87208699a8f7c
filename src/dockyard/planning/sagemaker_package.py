"""Owns when a revision is registered in SageMaker Model Registry, and when its record tells so. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.domain.record import DeploymentRecord
from dockyard.domain.sagemaker import SageMakerRevision, SageMakerSpec
from dockyard.domain.sagemaker_package import PackagePolicy, RevisionPackage
from dockyard.domain.sagemaker_steps import RegisterPackage


def register_package(
    policy: PackagePolicy | None, there: RevisionPackage | None, *, spec: SageMakerSpec, name: str, number: int
) -> Iterator[RegisterPackage]:
    """The step that registers a revision, where it is to be and is not yet, or is in another group.

    Without a policy what is registered stays so: it goes with its revision.
    """
    if policy is None or (there is not None and there.arn is not None and there.group == policy.group):
        return
    yield RegisterPackage(number=number, name=name, spec=spec, package=policy)


def is_package_recorded(record: DeploymentRecord | None, revision: SageMakerRevision | None) -> bool:
    """Whether a record names the package that a revision has, or none where it has none."""
    package = revision.package if revision else None
    return record is not None and record.model_package == (package.arn if package else None)
