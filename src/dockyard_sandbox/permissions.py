"""Which permissions a SageMaker call needs, in the words of an IAM policy.

Owns the table. Must not decide whether a call has them.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockyard_sandbox.arns import Place
from dockyard_sandbox.calls import Permission
from dockyard_sandbox.fields import Fields

_NAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Model": (("model", "ModelName"),),
    "EndpointConfig": (("endpoint-config", "EndpointConfigName"),),
    "Endpoint": (("endpoint", "EndpointName"),),
    "EndpointWeightsAndCapacities": (("endpoint", "EndpointName"),),
    "InferenceComponent": (("inference-component", "InferenceComponentName"),),
    "InferenceComponentRuntimeConfig": (("inference-component", "InferenceComponentName"),),
    "TransformJob": (("transform-job", "TransformJobName"),),
    "ModelPackageGroup": (("model-package-group", "ModelPackageGroupName"),),
    "ModelPackage": (("model-package", "ModelPackageName"), ("model-package", "ModelPackageArn")),
}
_ALSO: Mapping[str, tuple[tuple[str, str], ...]] = {
    "CreateEndpoint": (("endpoint-config", "EndpointConfigName"),),
    "UpdateEndpoint": (("endpoint-config", "EndpointConfigName"),),
    "CreateInferenceComponent": (("endpoint", "EndpointName"),),
}
_VERBS = ("Create", "Describe", "Update", "Delete", "Stop")
_TAGGING = frozenset({"AddTags", "ListTags", "DeleteTags"})


def find_permissions(operation: str, request: Fields, place: Place) -> tuple[Permission, ...]:
    """The actions and resources of a call. A list is of everything: `*`."""
    return tuple(_find(operation, request, place))


def _find(operation: str, request: Fields, place: Place) -> Iterator[Permission]:
    action = f"sagemaker:{operation}"
    if operation in _TAGGING:
        yield Permission(action=action, resource=request.text("ResourceArn"))
        return
    verb = next((verb for verb in _VERBS if operation.startswith(verb)), "")
    pairs = _NAMES.get(operation.removeprefix(verb), ()) + _ALSO.get(operation, ()) if verb else ()
    named = [_name(kind, request.text(member), place) for kind, member in pairs if request.text(member)]
    if operation == "CreateModelPackage" and request.text("ModelPackageGroupName"):
        named = [_name("model-package", f"{request.text('ModelPackageGroupName').rpartition('/')[2]}/*", place)]
    for arn in named or ["*"]:
        yield Permission(action=action, resource=arn)
    if operation.startswith("Create") and request.get("Tags") and named:
        yield Permission(action="sagemaker:AddTags", resource=named[0])
    if request.text("ExecutionRoleArn"):
        yield Permission(action="iam:PassRole", resource=request.text("ExecutionRoleArn"))


def _name(kind: str, value: str, place: Place) -> str:
    return value if value.startswith("arn:") else place.name_resource(kind, value)
