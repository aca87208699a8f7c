"""Owns the objects of a blueprint: the templates of `dockyard/templates/k8s`, filled in. Pure.

Whatever is put into a template goes through `tojson`, which YAML reads as the same value: no text can become structure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from dockyard.adapters.k8s.dashboard import draw_dashboard
from dockyard.adapters.k8s.labels import (
    POLICY,
    annotate_revision,
    label_object,
    select_candidate,
    select_deployment,
    write_policy,
)
from dockyard.domain.k8s import (
    BRING_REQUESTS,
    OWN_VARIABLES,
    Blueprint,
    TrafficBlueprint,
    derive_candidate_name,
    derive_object_name,
)
from dockyard.domain.k8s_exposure import fill_name

if TYPE_CHECKING:
    from jinja2 import Environment

Manifest = dict[str, Any]

PORT = 8080
PRE_STOP_SECONDS = 5
"""How long a pod that is to end still answers, so that everybody hears of it first."""
_MARGIN_SECONDS = 5
_PROBE_SECONDS = 2


def render_manifests(blueprint: Blueprint, namespace: str) -> tuple[Manifest, ...]:
    """Return the objects in the order in which they are applied."""
    values = list_values(blueprint, namespace)
    return tuple(_fill(kind, values) for kind in blueprint.kinds)


def render_ways_in(blueprint: TrafficBlueprint, namespace: str) -> tuple[Manifest, ...]:
    """Return those of the objects that bring requests, which are the same for all revisions."""
    values = _list_common_values(blueprint, namespace, is_candidate=False)
    return tuple(_fill(kind, values) for kind in blueprint.policy.list_kinds() if kind in BRING_REQUESTS)


def list_values(blueprint: Blueprint, namespace: str) -> dict[str, object]:
    """Return what the templates are filled in with."""
    settings, name = blueprint.settings, derive_object_name(blueprint.key)
    # A scorer ends as soon as it has nothing left to do, so time for the slowest request costs nothing.
    grace = max(settings.grace_seconds, settings.request_timeout_seconds)
    series = f'namespace="{namespace}",service="{name}"'
    common = _list_common_values(blueprint, namespace, is_candidate=blueprint.is_candidate)
    return {
        **common,
        "annotations": {POLICY: write_policy(blueprint.policy)},
        "revision_annotations": annotate_revision(blueprint),
        "image": blueprint.image,
        "settings": settings,
        "affinity": _place(settings.affinity, common["selector"]),
        "env": [{"name": name, "value": value} for name, value in (*settings.env, *_own_variables(blueprint, grace))],
        "series": series,
        "dashboard": draw_dashboard(f"{namespace}/{name}", series),
        "pre_stop_seconds": PRE_STOP_SECONDS,
        "termination_seconds": PRE_STOP_SECONDS + grace + _MARGIN_SECONDS,
        "probe_seconds": _PROBE_SECONDS,
        "startup_failures": -(-settings.ready_timeout_seconds // _PROBE_SECONDS),
    }


def _list_common_values(blueprint: TrafficBlueprint, namespace: str, *, is_candidate: bool) -> dict[str, object]:
    """What objects are made from whatever the revision."""
    key = blueprint.key
    return {
        "name": derive_candidate_name(key) if is_candidate else derive_object_name(key),
        "namespace": namespace,
        "labels": label_object(key, is_candidate=is_candidate),
        "selector": select_candidate(key) if is_candidate else select_deployment(key),
        "policy": blueprint.policy,
        "port": PORT,
    }


def _fill(kind: str, values: Mapping[str, object]) -> Manifest:
    return fill_template(_templates(), kind.lower(), values)


def _place(affinity: str, selector: object) -> str:
    """Pods of a deployment would rather not share a host; what its user says of pods comes in the place of that."""
    term = {"labelSelector": {"matchLabels": selector}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}
    return json.dumps({"podAntiAffinity": apart, **json.loads(affinity or "{}")}, sort_keys=True)


def _own_variables(blueprint: Blueprint, grace: int) -> tuple[tuple[str, str], ...]:
    settings = blueprint.spec.settings
    values = (grace, settings.max_body_bytes, settings.request_timeout_seconds, blueprint.number)
    return tuple((name, str(value)) for name, value in zip(OWN_VARIABLES, values, strict=True))


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return open_templates("k8s")


def open_templates(folder: str) -> Environment:
    """The templates of a folder of `dockyard/templates`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Values are quoted by `tojson`, and nothing here is HTML.
    environment = Environment(
        loader=PackageLoader("dockyard", f"templates/{folder}"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fill"] = fill_name
    return environment


def fill_template(templates: Environment, name: str, values: Mapping[str, object]) -> Manifest:
    """The object of the template `NAME.yaml.j2`."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader  # reads the same in a tenth of the time
    manifest: Manifest = yaml.load(templates.get_template(f"{name}.yaml.j2").render(values), Loader=loader)  # noqa: S506
    return manifest
