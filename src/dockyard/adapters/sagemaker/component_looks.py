"""Owns how an inference component is seen. Must not change anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockyard.adapters.sagemaker.errors import unless_missing
from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.sagemaker_component import ComponentStatus, InferenceComponent


def find_component(session: Session, name: str) -> InferenceComponent | None:
    """The component of an endpoint, which is called as that; None where there is none, or it is on another endpoint."""
    found = describe_component(session, name)
    if found is None or found["EndpointName"] != name:
        return None
    specification = found.get("Specification") or {}
    runtime = found.get("RuntimeConfig") or {}
    return InferenceComponent(
        name=name,
        status=ComponentStatus(found["InferenceComponentStatus"]),
        model=str(specification.get("ModelName", "")),
        images=tuple(_list_images(session, specification)),
        copies=int(runtime.get("DesiredCopyCount", 0)),
        failure_reason=str(found.get("FailureReason", "")),
    )


def describe_component(session: Session, name: str) -> Mapping[str, Any] | None:
    """A component as the service describes it; None where there is none."""
    client = session.client("sagemaker")
    what = "sagemaker:DescribeInferenceComponent"
    return unless_missing(what, lambda: client.describe_inference_component(InferenceComponentName=name))


def _list_images(session: Session, specification: Mapping[str, Any]) -> list[str]:
    """What copies run: of a model, its image, which never changes and is called by digest."""
    deployed = (specification.get("Container") or {}).get("DeployedImage") or {}
    if deployed.get("ResolvedImage"):
        return [str(deployed["ResolvedImage"])]
    if not specification.get("ModelName"):
        return []
    client, name = session.client("sagemaker"), specification["ModelName"]
    model = unless_missing("sagemaker:DescribeModel", lambda: client.describe_model(ModelName=name))
    return [str(model["PrimaryContainer"]["Image"])] if model else []
