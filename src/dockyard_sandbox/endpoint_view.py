"""How an endpoint looks from outside: DescribeEndpoint's JSON, and what the data plane sees.

Owns both views. Pure: must not change endpoints.
"""

from __future__ import annotations

from collections.abc import Iterable

from dockyard_sandbox.endpoint_state import Component, Deployed, DeployedImage, Endpoint, Replica, Variant
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.serving import ServingComponent, ServingEndpoint, ServingVariant, Target

_FROM_CONFIG = ("AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig", "CrossRegionTrafficConfig")
_FROM_VARIANT = ("ManagedInstanceScaling", "RoutingConfig", "AcceleratorPartitionLayouts")
_MAX_REASON = 1024


def describe_endpoint(endpoint: Endpoint) -> dict[str, object]:
    """What DescribeEndpoint returns."""
    body: dict[str, object] = {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": endpoint.live.config_name,
        "EndpointStatus": endpoint.status,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        **endpoint.live.config.only(*_FROM_CONFIG),
        **_describe_capture(endpoint.live.config),
    }
    if endpoint.status not in {"Creating", "Failed"}:
        body["ProductionVariants"] = [_describe_variant(variant) for variant in endpoint.live.variants]
        if endpoint.live.shadows:
            body["ShadowProductionVariants"] = [_describe_variant(variant) for variant in endpoint.live.shadows]
    if endpoint.failure_reason:
        body["FailureReason"] = endpoint.failure_reason[:_MAX_REASON]
    if endpoint.last_deployment:
        body["LastDeploymentConfig"] = endpoint.last_deployment.plain()
    if endpoint.pending is not None:
        body["PendingDeploymentSummary"] = _describe_pending(endpoint.pending, endpoint)
    return body


def describe_images(images: Iterable[DeployedImage]) -> list[dict[str, object]]:
    """DeployedImages."""
    return [
        {"SpecifiedImage": image.specified, "ResolvedImage": image.resolved, "ResolutionTime": image.resolved_at}
        for image in images
    ]


def _describe_capture(config: Fields) -> dict[str, object]:
    capture = config.child("DataCaptureConfig")
    if not capture:
        return {}
    enabled = capture.flag("EnableCapture")
    summary: dict[str, object] = {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture.whole("InitialSamplingPercentage"),
        "DestinationS3Uri": capture.text("DestinationS3Uri"),
        "KmsKeyId": capture.text("KmsKeyId"),
    }
    return {"DataCaptureConfig": summary}


def _describe_variant(variant: Variant) -> dict[str, object]:
    body: dict[str, object] = {
        "VariantName": variant.name,
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.desired_weight,
        **variant.definition.only(*_FROM_VARIANT),
    }
    if variant.images:
        body["DeployedImages"] = describe_images(variant.images)
    if variant.serverless is None:
        body.update(CurrentInstanceCount=variant.count, DesiredInstanceCount=variant.desired_count)
    else:
        serverless = variant.serverless.plain()
        body.update(CurrentServerlessConfig=serverless, DesiredServerlessConfig=serverless, CurrentInstanceCount=0)
    if variant.activity is not None:
        status, since = variant.activity
        body["VariantStatus"] = [{"Status": status, "StartTime": since}]
    return body


def _describe_pending(pending: Deployed, endpoint: Endpoint) -> dict[str, object]:
    def describe(variant: Variant) -> dict[str, object]:
        return {**_describe_variant(variant), **variant.definition.only("InstanceType", "AcceleratorType")}

    body: dict[str, object] = {
        "EndpointConfigName": pending.config_name,
        "ProductionVariants": [describe(variant) for variant in pending.variants],
        "StartTime": endpoint.pending_since,
    }
    if pending.shadows:
        body["ShadowProductionVariants"] = [describe(variant) for variant in pending.shadows]
    return body


def view_serving(endpoint: Endpoint, components: Iterable[Component]) -> ServingEndpoint:
    """What the data plane sees: of both fleets while traffic is divided between them."""
    fleet = endpoint.live
    if endpoint.pending is not None and endpoint.shift >= 1:
        fleet = endpoint.pending
    other = endpoint.pending if 0 < endpoint.shift < 1 else None
    return ServingEndpoint(
        name=endpoint.name,
        arn=endpoint.arn,
        region=endpoint.region,
        status=endpoint.status,
        config_name=fleet.config_name,
        config=fleet.config,
        variants=tuple(_view_variant(variant, fleet, other, endpoint.shift) for variant in fleet.variants),
        shadows=tuple(_view_variant(variant, fleet, None, 0.0) for variant in fleet.shadows),
        components=tuple(_view_component(component) for component in components),
    )


def _view_variant(variant: Variant, fleet: Deployed, other: Deployed | None, shift: float) -> ServingVariant:
    coming = other.find(variant.name) if other else None
    targets = _spread(variant.replicas, fleet.config_name, 1.0 - shift if coming else 1.0)
    if other and coming:
        targets += _spread(coming.replicas, other.config_name, shift)
    return ServingVariant(name=variant.name, weight=variant.weight, targets=targets, definition=variant.definition)


def _view_component(component: Component) -> ServingComponent:
    return ServingComponent(
        name=component.name,
        variant_name=component.variant_name,
        status=component.status,
        targets=_spread(component.replicas, "", 1.0),
    )


def _spread(replicas: tuple[Replica, ...], config_name: str, share: float) -> tuple[Target, ...]:
    each = share / len(replicas) if replicas else 0.0
    return tuple(
        Target(container=replica.container, share=each, config_name=config_name, instance=replica.instance)
        for replica in replicas
    )
