"""CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs.

Owns the rules between the members of a configuration. Must not look at endpoints: AWS lets a configuration in use be deleted.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_sandbox.errors import refuse, refuse_existing
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import list_records
from dockyard_sandbox.operations.roles import RoleCheck
from dockyard_sandbox.world import World

_DESCRIBED = (
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "ExecutionRoleArn",
    "VpcConfig",
    "MetricsConfig",
    "CrossRegionTrafficConfig",
)
_NOT_SERVERLESS = ("DataCaptureConfig", "AsyncInferenceConfig", "VpcConfig", "ExplainerConfig")
_ONLY_INSTANCES = ("InstanceType", "InitialInstanceCount", "AcceleratorType", "VolumeSizeInGB", "ManagedInstanceScaling")
_MEMORY_STEP = 1024


class EndpointConfigOperations:
    """The operations."""

    def __init__(self, roles: RoleCheck) -> None:
        self._roles = roles

    def offer(self) -> Operations:
        """The operations by name."""
        return {
            "CreateEndpointConfig": self._create,
            "DescribeEndpointConfig": describe_endpoint_config,
            "DeleteEndpointConfig": delete_endpoint_config,
            "ListEndpointConfigs": list_endpoint_configs,
        }

    def _create(self, call: ApiCall) -> Mapping[str, object]:
        request, table = call.request, call.world.table("endpoint-config")
        name = request.text("EndpointConfigName")
        if table.holds(name):
            raise refuse_existing("endpoint configuration", call.world.place.name_resource("endpoint-config", name))
        variants = request.items_of("ProductionVariants")
        shadows = request.items_of("ShadowProductionVariants")
        _check_names(variants + shadows)
        _check_shadows(variants, shadows)
        for variant in variants + shadows:
            _check_variant(variant)
            _check_model(call.world, variant, request)
        _check_serverless(request, variants + shadows)
        self._roles.check(request.text("ExecutionRoleArn"))
        return {"EndpointConfigArn": table.add(name, _complete(request)).arn}


def _check_names(variants: tuple[Fields, ...]) -> None:
    names = [variant.text("VariantName") for variant in variants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise refuse(f"Duplicate variant name {twice[0]}. Variant names must be unique within an endpoint configuration.")


def _check_shadows(variants: tuple[Fields, ...], shadows: tuple[Fields, ...]) -> None:
    if shadows and (len(variants), len(shadows)) != (1, 1):
        raise refuse("An endpoint configuration with a shadow variant must have exactly one production and one shadow variant.")


def _check_variant(variant: Fields) -> None:
    name = variant.text("VariantName")
    if "ServerlessConfig" in variant:
        mixed = [member for member in _ONLY_INSTANCES if member in variant]
        if mixed:
            raise refuse(f"Variant {name}: {mixed[0]} can not be specified together with ServerlessConfig.")
        _check_serverless_size(name, variant.child("ServerlessConfig"))
    elif "InstanceType" not in variant and "InstancePools" not in variant:
        raise refuse(f"Variant {name} must have either an InstanceType or a ServerlessConfig.")
    elif "InitialInstanceCount" not in variant and "ManagedInstanceScaling" not in variant:
        raise refuse(f"Variant {name} must have an InitialInstanceCount.")


def _check_serverless_size(name: str, serverless: Fields) -> None:
    if serverless.whole("MemorySizeInMB") % _MEMORY_STEP:
        raise refuse(f"Variant {name}: MemorySizeInMB must be one of 1024, 2048, 3072, 4096, 5120, 6144.")
    if serverless.whole("ProvisionedConcurrency") > serverless.whole("MaxConcurrency"):
        raise refuse(f"Variant {name}: ProvisionedConcurrency must be less than or equal to MaxConcurrency.")


def _check_model(world: World, variant: Fields, request: Fields) -> None:
    if "ModelName" in variant:
        world.table("model").require(variant.text("ModelName"))
    elif "ExecutionRoleArn" not in request:
        raise refuse(f"Variant {variant.text('VariantName')} has no ModelName: ExecutionRoleArn must be specified.")


def _check_serverless(request: Fields, variants: tuple[Fields, ...]) -> None:
    if not any("ServerlessConfig" in variant for variant in variants):
        return
    if len(variants) > 1:
        raise refuse("A serverless endpoint can have one variant only.")
    for member in _NOT_SERVERLESS:
        if member in request:
            raise refuse(f"{member} is not supported for serverless endpoints.")
    if request.flag("EnableNetworkIsolation"):
        raise refuse("EnableNetworkIsolation is not supported for serverless endpoints.")


def _complete(request: Fields) -> Fields:
    completed: dict[str, object] = request.plain()
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        if member in request:
            completed[member] = [{"InitialVariantWeight": 1.0, **variant} for variant in request.items_of(member)]
    return Fields(completed)


def describe_endpoint_config(call: ApiCall) -> Mapping[str, object]:
    """DescribeEndpointConfig."""
    record = call.world.table("endpoint-config").require(call.request.text("EndpointConfigName"))
    return {
        "EndpointConfigName": record.name,
        "EndpointConfigArn": record.arn,
        "ProductionVariants": record.request["ProductionVariants"],
        "CreationTime": record.created,
        "EnableNetworkIsolation": record.request.flag("EnableNetworkIsolation"),
        **record.request.only(*_DESCRIBED),
    }


def delete_endpoint_config(call: ApiCall) -> Mapping[str, object]:
    """DeleteEndpointConfig."""
    call.world.table("endpoint-config").remove(call.request.text("EndpointConfigName"))
    return {}


def list_endpoint_configs(call: ApiCall) -> Mapping[str, object]:
    """ListEndpointConfigs."""
    return list_records(call.world.table("endpoint-config").list_records(), "EndpointConfig", call.request)
