"""Owns the values of the chart `helm/model-server`: what the templates of deploys are filled in with, as YAML has it. Pure.

The chart is made from those templates, so it takes what they take. The namespace is the release's. Objects that the chart has
no template for come whole.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from typing import get_type_hints

from dockyard.adapters.k8s.manifests import Manifest

CHART_KINDS = (
    "Deployment",
    "Service",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "Ingress",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
)
"""What the chart has templates for."""
NOT_SETTINGS = frozenset({"affinity", "env"})
"""Settings that have arrived in a value of their own."""
WORKED_OUT = frozenset({"named_peers", "operator"})
"""What templates take of a dataclass that is no field of it."""
_OF_OTHERS = frozenset({"namespace", "series", "dashboard"})
"""What only other objects are filled in with; the namespace is the release's."""
_PAIRS = tuple[tuple[str, str], ...]
"""How the domain writes a mapping that is hashable."""


def make_values(context: Mapping[str, object], objects: tuple[Manifest, ...]) -> Manifest:
    """Return the chart's values for what the templates are filled in with, and the objects that this gives."""
    return {name: _to_value(value) for name, value in list_chart_values(context, objects).items()}


def list_chart_values(context: Mapping[str, object], objects: tuple[Manifest, ...]) -> Mapping[str, object]:
    """The same, with dataclasses still being dataclasses."""
    kept = {name: value for name, value in context.items() if name not in _OF_OTHERS}
    kinds = [one["kind"] for one in objects if one["kind"] in CHART_KINDS] or list(CHART_KINDS)
    return {"kinds": kinds, **kept, "extra_objects": [one for one in objects if one["kind"] not in CHART_KINDS]}


def _to_value(value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        fields = [(one.name, getattr(value, one.name)) for one in dataclasses.fields(value) if one.name not in NOT_SETTINGS]
        more = {name: _to_value(getattr(value, name)) for name in sorted(WORKED_OUT) if hasattr(value, name)}
        return {name: dict(one) if hints[name] == _PAIRS else _to_value(one) for name, one in fields} | more
    if isinstance(value, Mapping):
        return {name: _to_value(one) for name, one in value.items()}
    return [_to_value(one) for one in value] if isinstance(value, tuple | list) else value
