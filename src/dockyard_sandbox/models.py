"""What a model says of its container, wherever it says it: its own definition, or the model package that it names.

Owns that reading. Must not start anything.
"""

from __future__ import annotations

from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.launch import LaunchError, ModelContainer
from dockyard_sandbox.surroundings import ModelSource
from dockyard_sandbox.world import World


def list_containers(request: Fields) -> tuple[Fields, ...]:
    """The container definitions of a CreateModel request."""
    primary = (request.child("PrimaryContainer"),) if "PrimaryContainer" in request else ()
    return primary + request.items_of("Containers")


def find_model_container(world: World, model_name: str) -> ModelContainer:
    """The container of a model that exists. Raises LaunchError where it does not, or has several."""
    try:
        request = world.table("model").require(model_name).request
    except ApiError as error:
        raise LaunchError(error.message) from error
    containers = list_containers(request)
    if len(containers) != 1:
        raise LaunchError(f"Model {model_name} has {len(containers)} containers: the sandbox runs models of one container.")
    return read_container(world, request, containers[0])


def read_container(world: World, request: Fields, definition: Fields) -> ModelContainer:
    """The container that a definition in a model describes."""
    packaged = find_packaged_container(world, definition.text("ModelPackageName"))
    merged = Fields({**packaged, **definition})
    environment = {**packaged.text_map("Environment"), **definition.text_map("Environment")}
    return ModelContainer(
        image=merged.text("Image"),
        environment=environment,
        source=find_source(world, merged, request.text("ExecutionRoleArn")),
        isolated=request.flag("EnableNetworkIsolation"),
    )


def find_packaged_container(world: World, package: str) -> Fields:
    """The first container of a model package; empty where none is named."""
    if not package:
        return Fields({})
    name = package.rpartition(":model-package/")[2]
    record = world.table("model-package").require(name)
    containers = record.request.child("InferenceSpecification").items_of("Containers")
    return containers[0] if containers else Fields({})


def find_source(world: World, definition: Fields, role_arn: str) -> ModelSource | None:
    """Where the container's model data is; None where it needs none."""
    source = definition.child("ModelDataSource").child("S3DataSource")
    uri = source.text("S3Uri") or definition.text("ModelDataUrl")
    if not uri:
        return None
    compressed = source.text("CompressionType") != "None" if source else True
    return ModelSource(uri=uri, compressed=compressed, role_arn=role_arn, region=world.place.region)
