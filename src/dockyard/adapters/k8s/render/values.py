"""Owns the values of the chart `helm/model-server`: what the templates of deploys are filled in with, as YAML has it. Pure.

The chart is made from those templates (`tools/make_chart.py`), so it takes what they take. The namespace is the release's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import get_type_hints

from dockyard.adapters.k8s.manifests import Manifest

_NOT_VALUES = ("namespace",)
_ELSEWHERE = frozenset({"env"})
"""Settings that have arrived in a value of their own."""


def make_values(context: Mapping[str, object]) -> Manifest:
    """Return the chart's values for what the templates are filled in with."""
    return {name: _to_value(value) for name, value in context.items() if name not in _NOT_VALUES}


def _to_value(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        fields = [(one.name, getattr(value, one.name)) for one in dataclasses.fields(value) if one.name not in _ELSEWHERE]
        return {name: dict(one) if hints[name] == tuple[tuple[str, str], ...] else _to_value(one) for name, one in fields}
    if isinstance(value, Mapping):
        return {name: _to_value(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_to_value(one) for one in value]
    return value
