"""The operations on inference components.

Owns the rules of their requests and how they are described. Must not change components itself: `components` does.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_sandbox.components import Components
from dockyard_sandbox.endpoint_state import Component
from dockyard_sandbox.endpoint_view import describe_images
from dockyard_sandbox.errors import refuse
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import Listed, list_page
from dockyard_sandbox.world import World


class ComponentOperations:
    """The operations."""

    def __init__(self, components: Components) -> None:
        self._components = components

    def offer(self) -> Operations:
        """The operations by name."""
        return {
            "CreateInferenceComponent": self._create,
            "DescribeInferenceComponent": describe_component,
            "UpdateInferenceComponent": self._update,
            "UpdateInferenceComponentRuntimeConfig": self._scale,
            "DeleteInferenceComponent": self._delete,
            "ListInferenceComponents": list_components,
        }

    def _create(self, call: ApiCall) -> Mapping[str, object]:
        specification = _read_specification(call)
        if specification is None:
            raise refuse("Specification must be specified.")
        return {"InferenceComponentArn": self._components.create(call.world, call.request, specification).arn}

    def _update(self, call: ApiCall) -> Mapping[str, object]:
        request = call.request
        copies = request.child("RuntimeConfig").whole("CopyCount") if "RuntimeConfig" in request else None
        specification = _read_specification(call)
        if specification is None and copies is None:
            raise refuse("Specification or RuntimeConfig must be specified.")
        name = request.text("InferenceComponentName")
        return {"InferenceComponentArn": self._components.update(call.world, name, specification, copies).arn}

    def _scale(self, call: ApiCall) -> Mapping[str, object]:
        copies = call.request.child("DesiredRuntimeConfig").whole("CopyCount")
        name = call.request.text("InferenceComponentName")
        return {"InferenceComponentArn": self._components.update(call.world, name, None, copies).arn}

    def _delete(self, call: ApiCall) -> Mapping[str, object]:
        self._components.delete(call.world, call.request.text("InferenceComponentName"))
        return {}


def _read_specification(call: ApiCall) -> Fields | None:
    if "Specifications" in call.request:
        raise refuse("The sandbox runs inference components of one Specification only.")
    if "Specification" not in call.request:
        return None
    specification = call.request.child("Specification")
    if "BaseInferenceComponentName" in specification:
        raise refuse("The sandbox does not run adapter inference components.")
    if ("ModelName" in specification) == ("Image" in specification.child("Container")):
        raise refuse("Exactly one of ModelName and Container.Image must be specified in Specification.")
    if "ComputeResourceRequirements" not in specification:
        raise refuse("ComputeResourceRequirements must be specified in Specification.")
    if "ModelName" in specification:
        call.world.table("model").require(specification.text("ModelName"))
    return specification


def describe_component(call: ApiCall) -> Mapping[str, object]:
    """DescribeInferenceComponent."""
    component = call.world.require_seen_component(call.request.text("InferenceComponentName"))
    body: dict[str, object] = {
        **_summarize(component, call.world),
        "Specification": _describe_specification(component),
        "RuntimeConfig": {"DesiredCopyCount": component.desired_copies, "CurrentCopyCount": component.copies},
    }
    if component.failure_reason:
        body["FailureReason"] = component.failure_reason[:1024]
    return body


def _describe_specification(component: Component) -> dict[str, object]:
    body = component.specification.plain()
    container = component.specification.child("Container")
    deployed = describe_images(component.images)
    if container:
        shown: dict[str, object] = container.only("ArtifactUrl", "Environment", "ContainerMetricsConfig")
        body["Container"] = {**shown, **({"DeployedImage": deployed[0]} if deployed else {})}
    return body


def _summarize(component: Component, world: World) -> dict[str, object]:
    return {
        "InferenceComponentName": component.name,
        "InferenceComponentArn": component.arn,
        "EndpointName": component.endpoint_name,
        "EndpointArn": world.place.name_resource("endpoint", component.endpoint_name),
        "VariantName": component.variant_name,
        "CreationTime": component.created,
        "LastModifiedTime": component.modified,
        "InferenceComponentStatus": component.status,
    }


def list_components(call: ApiCall) -> Mapping[str, object]:
    """ListInferenceComponents."""
    endpoint, variant = call.request.text("EndpointNameEquals"), call.request.text("VariantNameEquals")
    items = (
        Listed(
            name=component.name,
            created=component.created,
            modified=component.modified,
            status=component.status,
            summary=_summarize(component, call.world),
        )
        for component in call.world.list_seen_components()
        if endpoint in {"", component.endpoint_name} and variant in {"", component.variant_name}
    )
    return list_page(items, call.request, "InferenceComponents")
