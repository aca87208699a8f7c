"""Owns what candidates add to rendered objects while they last: other labels, and what divides the requests. Pure.

The templates know nothing of it: they are what a deployment ends with.
"""

from __future__ import annotations

from dockyard.adapters.k8s.labels import DEPLOYMENT, TRAFFIC, select_all_pods, select_candidate, write_traffic
from dockyard.adapters.k8s.manifests import Manifest, render_manifests, render_ways_in
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.k8s import Blueprint, TrafficBlueprint, derive_candidate_name
from dockyard.domain.k8s_rollout import Division, Traffic

_ALL = 100


def render_objects(blueprint: Blueprint, namespace: str) -> tuple[Manifest, ...]:
    """Return the objects as they are to be now, in the order in which they are applied."""
    objects = render_manifests(blueprint, namespace)
    if not blueprint.is_candidate:
        return tuple(divide(one, blueprint) for one in objects)
    for one in objects:
        if one["kind"] == "Deployment":
            del one["spec"]["template"]["metadata"]["labels"][DEPLOYMENT]  # the deployment's own selector must not match
    return objects


def render_traffic(blueprint: TrafficBlueprint, namespace: str) -> tuple[Manifest, ...]:
    """Return those of the objects that bring requests."""
    return tuple(divide(one, blueprint) for one in render_ways_in(blueprint, namespace))


def divide(item: Manifest, blueprint: TrafficBlueprint) -> Manifest:
    """Return an object as it divides the requests, if it does."""
    traffic = blueprint.traffic
    divider = "Service" if traffic and traffic.by is Division.PODS else "HTTPRoute"
    if traffic is None or item["kind"] != divider:
        return item
    metadata = {**item["metadata"], "annotations": {**item["metadata"].get("annotations", {}), TRAFFIC: write_traffic(traffic)}}
    if divider == "Service":
        spec = {**item["spec"], "selector": _select_served(blueprint.key, traffic)}
    else:
        spec = {**item["spec"], "rules": [_divide_rule(rule, blueprint.key, traffic) for rule in item["spec"]["rules"]]}
    return {**item, "metadata": metadata, "spec": spec}


def _select_served(key: DeploymentKey, traffic: Traffic) -> dict[str, str]:
    """Whose pods the Service brings requests to."""
    return select_candidate(key) if traffic.percent == _ALL else select_all_pods(key)


def _divide_rule(rule: Manifest, key: DeploymentKey, traffic: Traffic) -> Manifest:
    """A rule of an HTTPRoute that sends some of its requests, or copies of them, to the candidate as well."""
    (stable,) = rule["backendRefs"]
    candidate = {"name": derive_candidate_name(key), "port": stable["port"]}
    if traffic.by is Division.ROUTE:
        weights = ({**stable, "weight": _ALL - traffic.percent}, {**candidate, "weight": traffic.percent})
        return {**rule, "backendRefs": list(weights)}
    share = {} if traffic.percent == _ALL else {"percent": traffic.percent}
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": candidate, **share}}
    return {**rule, "filters": [mirror, *rule.get("filters", [])]}
