"""CreateModel, DescribeModel, DeleteModel, ListModels.

Owns the rules of a model: its containers, its role, that its image and data are there. Must not start anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockyard_sandbox.errors import refuse, refuse_existing, refuse_model_data
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.models import find_packaged_container, find_source, list_containers
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import list_records
from dockyard_sandbox.operations.roles import RoleCheck
from dockyard_sandbox.surroundings import ModelData
from dockyard_sandbox.world import World

MAX_ENVIRONMENT_BYTES = 32 * 1024
_MODE = "SingleModel"
_DESCRIBED = ("InferenceExecutionConfig", "ExecutionRoleArn", "VpcConfig")


class ModelOperations:
    """The operations. `has_image` says whether an image can be had."""

    def __init__(self, roles: RoleCheck, model_data: ModelData, has_image: Callable[[str], bool]) -> None:
        self._roles = roles
        self._model_data = model_data
        self._has_image = has_image

    def offer(self) -> Operations:
        """The operations by name."""
        return {
            "CreateModel": self._create,
            "DescribeModel": describe_model,
            "DeleteModel": delete_model,
            "ListModels": list_models,
        }

    def _create(self, call: ApiCall) -> Mapping[str, object]:
        request, table = call.request, call.world.table("model")
        name = request.text("ModelName")
        if table.holds(name):
            raise refuse_existing("model", call.world.place.name_resource("model", name))
        containers = list_containers(request)
        if "PrimaryContainer" in request and "Containers" in request:
            raise refuse("You can't specify both PrimaryContainer and Containers.")
        if not containers:
            raise refuse("You must specify either PrimaryContainer or Containers.")
        for container in containers:
            _check_container(container)
        self._roles.check(request.text("ExecutionRoleArn"))
        for container in containers:
            self._check_reachable(call.world, container, request.text("ExecutionRoleArn"))
        return {"ModelArn": table.add(name, request).arn}

    def _check_reachable(self, world: World, container: Fields, role_arn: str) -> None:
        definition = Fields({**find_packaged_container(world, container.text("ModelPackageName")), **container})
        image = definition.text("Image")
        if not self._has_image(image):
            raise refuse(f"Requested image {image} not found.")
        source = find_source(world, definition, role_arn)
        if source is not None and not self._model_data.is_there(source):
            raise refuse_model_data(source.uri, role_arn, source.region)


def _check_container(container: Fields) -> None:
    if "Image" not in container and "ModelPackageName" not in container:
        raise refuse("A container definition must have an Image or a ModelPackageName.")
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise refuse("You can't specify both ModelDataUrl and ModelDataSource.")
    source = container.child("ModelDataSource").child("S3DataSource")
    if source.text("S3DataType") == "S3Prefix" and not source.text("S3Uri").endswith("/"):
        raise refuse(f'S3Uri {source.text("S3Uri")} must end with "/" when S3DataType is S3Prefix.')
    environment = container.text_map("Environment")
    if sum(len(key.encode()) + len(value.encode()) for key, value in environment.items()) > MAX_ENVIRONMENT_BYTES:
        raise refuse(f"The environment of a container can have at most {MAX_ENVIRONMENT_BYTES} bytes of keys and values.")


def describe_model(call: ApiCall) -> Mapping[str, object]:
    """DescribeModel."""
    record = call.world.table("model").require(call.request.text("ModelName"))
    return {
        "ModelName": record.name,
        "ModelArn": record.arn,
        "CreationTime": record.created,
        "EnableNetworkIsolation": record.request.flag("EnableNetworkIsolation"),
        **record.request.only(*_DESCRIBED),
        **_describe_containers(record.request),
    }


def _describe_containers(request: Fields) -> dict[str, object]:
    """Containers with the mode that AWS tells where none was asked for."""
    described: dict[str, object] = {}
    if "PrimaryContainer" in request:
        described["PrimaryContainer"] = {"Mode": _MODE, **request.child("PrimaryContainer")}
    if "Containers" in request:
        described["Containers"] = [{"Mode": _MODE, **container} for container in request.items_of("Containers")]
    return described


def delete_model(call: ApiCall) -> Mapping[str, object]:
    """DeleteModel. AWS lets a model be deleted that an endpoint serves; so does this."""
    call.world.table("model").remove(call.request.text("ModelName"))
    return {}


def list_models(call: ApiCall) -> Mapping[str, object]:
    """ListModels."""
    return list_records(call.world.table("model").list_records(), "Model", call.request)
