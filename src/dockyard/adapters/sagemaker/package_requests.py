"""Owns what is sent to SageMaker Model Registry: pure functions from the domain to parameters of calls. Must not call anything.

A version has no name of its own and takes no tags. Its description cannot be changed, so that a revision's version is known by
how it begins; its properties lead back to MLflow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from dockyard.adapters.sagemaker.tags import list_properties, tag_deployment
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.sagemaker import SageMakerSpec
from dockyard.domain.sagemaker_package import Approval, PackagePolicy
from dockyard.domain.sagemaker_steps import RegisterPackage

CONTENT_TYPES = ("application/json", "text/csv")
"""What the scorer takes whatever the model."""
_ANSWERS = "application/json"
_APPROVALS = {Approval.PENDING: "PendingManualApproval", Approval.APPROVED: "Approved"}
_TOKEN_LENGTH = 36
_LONGEST = 1024
_CARRIED = ("Image", "Environment", "ModelDataUrl", "ModelDataSource")


def create_group(key: DeploymentKey, step: RegisterPackage) -> dict[str, Any]:
    """CreateModelPackageGroup."""
    return {
        "ModelPackageGroupName": step.package.group,
        "ModelPackageGroupDescription": f"made by Dockyard for {key}",
        "Tags": tag_deployment(key, step.spec.settings.tags),
    }


def create_package(
    key: DeploymentKey, step: RegisterPackage, container: Mapping[str, Any], *, made: str, own_variables: frozenset[str]
) -> dict[str, Any]:
    """CreateModelPackage for the container of a revision's model, which was made at that time.

    A revision that is deleted and made again is another one, hence the time in the token.
    """
    environment = {name: value for name, value in container.get("Environment", {}).items() if name not in own_variables}
    carried = {name: container[name] for name in _CARRIED if container.get(name)} | {"Environment": environment}
    told = f"revision {step.number} of {key}, {step.spec.model.title}"
    return {
        "ModelPackageGroupName": step.package.group,
        "ModelPackageDescription": f"{begin_description(step.name)}{told}"[:_LONGEST],
        "InferenceSpecification": {
            "Containers": [carried],
            "SupportedContentTypes": list(CONTENT_TYPES),
            "SupportedResponseMIMETypes": [_ANSWERS],
        },
        "ModelApprovalStatus": _APPROVALS[step.package.approval],
        "CustomerMetadataProperties": list_properties(key, step.number, step.name, step.spec),
        "ClientToken": hashlib.sha256(f"{step.package.group}/{step.name}/{made}".encode()).hexdigest()[:_TOKEN_LENGTH],
    }


def begin_description(name: str) -> str:
    """How the description of a revision's version begins, and that of no other."""
    return f"{name}: "


def render_package(
    key: DeploymentKey, policy: PackagePolicy, spec: SageMakerSpec, model: Mapping[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Both requests, for checking; `model` is the request for a model."""
    step = RegisterPackage(number=1, name=str(model["ModelName"]), spec=spec, package=policy)
    package = create_package(key, step, model["PrimaryContainer"], made="", own_variables=frozenset())
    yield "sagemaker", "CreateModelPackageGroup", create_group(key, step)
    yield "sagemaker", "CreateModelPackage", package
