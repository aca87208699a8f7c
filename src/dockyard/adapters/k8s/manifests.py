"""Owns the objects of a blueprint: the templates of `dockyard/templates/k8s`, filled in. Pure.

Whatever is put into a template goes through `tojson`, which YAML reads as the same value: no text can become structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from dockyard.adapters.k8s.labels import (
    POLICY,
    TRAFFIC,
    annotate_revision,
    label_object,
    label_pods,
    select_all_pods,
    select_candidate,
    select_deployment,
    write_policy,
    write_traffic,
)
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.k8s import (
    BRING_REQUESTS,
    OWN_VARIABLES,
    Blueprint,
    TrafficBlueprint,
    derive_candidate_name,
    derive_object_name,
)
from dockyard.domain.k8s_exposure import fill_name
from dockyard.domain.k8s_rollout import Division, Traffic

if TYPE_CHECKING:
    from jinja2 import Environment

Manifest = dict[str, Any]

PORT = 8080
PRE_STOP_SECONDS = 5
"""How long a pod that is to end still answers, so that everybody hears of it first."""
_MARGIN_SECONDS = 5
_PROBE_SECONDS = 2
_ALL = 100


def render_manifests(blueprint: Blueprint, namespace: str) -> tuple[Manifest, ...]:
    """Return the objects in the order in which they are applied."""
    values = _list_values(blueprint, namespace)
    return tuple(_fill(kind, values) for kind in blueprint.kinds)


def render_traffic(blueprint: TrafficBlueprint, namespace: str) -> tuple[Manifest, ...]:
    """Return those of the objects that bring requests."""
    values = _list_common_values(blueprint, namespace, is_candidate=False)
    return tuple(_fill(kind, values) for kind in blueprint.policy.list_kinds() if kind in BRING_REQUESTS)


def _fill(kind: str, values: Mapping[str, object]) -> Manifest:
    manifest: Manifest = yaml.safe_load(_templates().get_template(f"{kind.lower()}.yaml.j2").render(values))
    return manifest


def _list_common_values(blueprint: TrafficBlueprint, namespace: str, *, is_candidate: bool) -> dict[str, object]:
    """What all objects are made from, whatever the revision."""
    key, traffic = blueprint.key, blueprint.traffic
    by_pods = traffic if traffic and traffic.by is Division.PODS else None
    by_route = traffic if traffic and traffic.by is not Division.PODS else None
    return {
        "name": derive_candidate_name(key) if is_candidate else derive_object_name(key),
        "candidate": derive_candidate_name(key),
        "namespace": namespace,
        "labels": label_object(key, is_candidate=is_candidate),
        "selector": select_candidate(key) if is_candidate else select_deployment(key),
        "service_selector": select_candidate(key) if is_candidate else _select_served(key, by_pods),
        "service_annotations": {TRAFFIC: write_traffic(by_pods)} if by_pods else {},
        "route_annotations": {TRAFFIC: write_traffic(by_route)} if by_route else {},
        "weight": by_route.percent if by_route and by_route.by is Division.ROUTE else None,
        "mirror_percent": by_route.percent if by_route and by_route.by is Division.MIRROR else None,
        "policy": blueprint.policy,
        "port": PORT,
    }


def _list_values(blueprint: Blueprint, namespace: str) -> dict[str, object]:
    settings, is_candidate = blueprint.spec.settings, blueprint.is_candidate
    # A scorer ends as soon as it has nothing left to do, so time for the slowest request costs nothing.
    grace = max(settings.grace_seconds, settings.request_timeout_seconds)
    return {
        **_list_common_values(blueprint, namespace, is_candidate=is_candidate),
        "pod_labels": label_pods(blueprint.key, is_candidate=is_candidate),
        "annotations": {POLICY: write_policy(blueprint.policy)},
        "revision_annotations": annotate_revision(blueprint),
        "image": blueprint.image,
        "settings": settings,
        "env": [{"name": name, "value": value} for name, value in (*settings.env, *_own_variables(blueprint, grace))],
        "pre_stop_seconds": PRE_STOP_SECONDS,
        "termination_seconds": PRE_STOP_SECONDS + grace + _MARGIN_SECONDS,
        "probe_seconds": _PROBE_SECONDS,
        "startup_failures": -(-settings.ready_timeout_seconds // _PROBE_SECONDS),
    }


def _select_served(key: DeploymentKey, traffic: Traffic | None) -> dict[str, str]:
    """Whose pods the Service brings requests to."""
    if traffic is None:
        return select_deployment(key)
    return select_candidate(key) if traffic.percent == _ALL else select_all_pods(key)


def _own_variables(blueprint: Blueprint, grace: int) -> tuple[tuple[str, str], ...]:
    settings = blueprint.spec.settings
    values = (grace, settings.max_body_bytes, settings.request_timeout_seconds, blueprint.number)
    return tuple((name, str(value)) for name, value in zip(OWN_VARIABLES, values, strict=True))


@lru_cache(maxsize=1)
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Values are quoted by `tojson`, and nothing here is HTML.
    environment = Environment(
        loader=PackageLoader("dockyard", "templates/k8s"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fill"] = fill_name
    return environment
