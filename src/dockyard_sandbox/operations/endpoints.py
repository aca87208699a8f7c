"""CreateEndpoint, DescribeEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, DeleteEndpoint, ListEndpoints.

Owns the rules between a request and the configurations that it names. Must not change endpoints itself: `endpoints` does.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_sandbox.endpoint_view import describe_endpoint
from dockyard_sandbox.endpoints import Endpoints, Retained, Scale, prepare_deployed
from dockyard_sandbox.errors import refuse
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.operations.call import ApiCall, Operations
from dockyard_sandbox.operations.listing import Listed, list_page
from dockyard_sandbox.quotas import Quotas
from dockyard_sandbox.rollout_plan import check_deployment
from dockyard_sandbox.world import Record


class EndpointOperations:
    """The operations."""

    def __init__(self, endpoints: Endpoints, quotas: Quotas) -> None:
        self._endpoints = endpoints
        self._quotas = quotas

    def offer(self) -> Operations:
        """The operations by name."""
        return {
            "CreateEndpoint": self._create,
            "DescribeEndpoint": describe,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._scale,
            "DeleteEndpoint": self._delete,
            "ListEndpoints": list_endpoints,
        }

    def _create(self, call: ApiCall) -> Mapping[str, object]:
        config = _require_config(call)
        check_deployment(call.request.child("DeploymentConfig"))
        self._quotas.check(call.world, prepare_deployed(config, activity=None))
        return {"EndpointArn": self._endpoints.create(call.world, call.request, config).arn}

    def _update(self, call: ApiCall) -> Mapping[str, object]:
        request = call.request
        endpoint = call.world.require_seen_endpoint(request.text("EndpointName"))
        config = _require_config(call)
        _check_kind(endpoint.live.config, config.request)
        deployment = request.child("DeploymentConfig") if "DeploymentConfig" in request else None
        if deployment is not None and request.flag("RetainDeploymentConfig"):
            raise refuse("DeploymentConfig can not be specified when RetainDeploymentConfig is true.")
        check_deployment(deployment or Fields({}))
        if request.flag("RetainDeploymentConfig"):
            deployment = endpoint.last_deployment
        retained = _read_retained(request)
        if not endpoint.in_progress:
            self._quotas.check(call.world, prepare_deployed(config, activity=None))
        changed = self._endpoints.update(call.world, endpoint.name, config, deployment=deployment, retained=retained)
        return {"EndpointArn": changed.arn}

    def _scale(self, call: ApiCall) -> Mapping[str, object]:
        scales = {one.text("VariantName"): _read_scale(one) for one in call.request.items_of("DesiredWeightsAndCapacities")}
        return {"EndpointArn": self._endpoints.scale(call.world, call.request.text("EndpointName"), scales).arn}

    def _delete(self, call: ApiCall) -> Mapping[str, object]:
        self._endpoints.delete(call.world, call.request.text("EndpointName"))
        return {}


def _require_config(call: ApiCall) -> Record:
    return call.world.table("endpoint-config").require(call.request.text("EndpointConfigName"))


def _check_kind(live: Fields, target: Fields) -> None:
    def is_serverless(config: Fields) -> bool:
        return any("ServerlessConfig" in variant for variant in config.items_of("ProductionVariants"))

    if is_serverless(target) and not is_serverless(live):
        raise refuse("Cannot update an endpoint with instances to a serverless endpoint.")


def _read_retained(request: Fields) -> Retained:
    if not request.flag("RetainAllVariantProperties"):
        return Retained()
    excluded = {one.text("VariantPropertyType") for one in request.items_of("ExcludeRetainedVariantProperties")}
    return Retained(counts="DesiredInstanceCount" not in excluded, weights="DesiredWeight" not in excluded)


def _read_scale(one: Fields) -> Scale:
    return Scale(
        weight=one.number("DesiredWeight") if "DesiredWeight" in one else None,
        count=one.whole("DesiredInstanceCount") if "DesiredInstanceCount" in one else None,
    )


def describe(call: ApiCall) -> Mapping[str, object]:
    """DescribeEndpoint."""
    return describe_endpoint(call.world.require_seen_endpoint(call.request.text("EndpointName")))


def list_endpoints(call: ApiCall) -> Mapping[str, object]:
    """ListEndpoints. As at AWS, a summary has no FailureReason."""
    items = (
        Listed(
            name=endpoint.name,
            created=endpoint.created,
            modified=endpoint.modified,
            status=endpoint.status,
            summary={
                "EndpointName": endpoint.name,
                "EndpointArn": endpoint.arn,
                "CreationTime": endpoint.created,
                "LastModifiedTime": endpoint.modified,
                "EndpointStatus": endpoint.status,
            },
        )
        for endpoint in call.world.list_seen_endpoints()
    )
    return list_page(items, call.request, "Endpoints")
