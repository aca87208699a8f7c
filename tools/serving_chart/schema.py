"""Owns the JSON Schema of the chart's values, and what each of them is. Pure.

Both are read from what templates are filled in with. Every object of ours is closed.
Values are as `dockyard.adapters.k8s.render.values` writes them.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Iterator, Mapping

from dockyard.adapters.k8s.render.values import NOT_SETTINGS, WORKED_OUT
from reference_pages.field_docs import read_fields

Schema = dict[str, object]
_DIALECT = "http://json-schema.org/draft-07/schema#"
_PAIRS = tuple[tuple[str, str], ...]
_TYPES = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}
_ANY: Schema = {"type": "object"}
MEANINGS = {
    "kinds": "Which objects there are",
    "name": "The name that all objects have, whatever the release is called",
    "labels": "Of all objects",
    "selector": "Labels by which pods are found",
    "annotations": "Of the Deployment: what it was made with",
    "revision_annotations": "Of the pods: the way back to model, run, registry and revision",
    "image": "By its digest",
    "policy": "How the deployment is run, whatever its revision",
    "settings": "What decides how a revision's pods run",
    "affinity": "What nodes or pods they are to be near or far, as JSON of Kubernetes' own `affinity`",
    "env": "Variables of the container, Dockyard's own included",
    "port": "That the container listens on",
    "pre_stop_seconds": "How long a pod that is to end still answers",
    "termination_seconds": "How long it may take to end",
    "probe_seconds": "How often its start is looked at",
    "startup_failures": "How often that may fail",
    "extra_objects": "Objects that the chart has no template for",
}


def make_schema(values: Mapping[str, object]) -> Schema:
    """Return the schema of values such as these, dataclasses still being dataclasses."""
    properties = {name: _infer(value) for name, value in values.items()}
    properties["image"] = {"type": "string", "pattern": "@sha256:"}
    schema = _close(properties)
    properties["global"] = _ANY  # Helm's own, where the chart is part of another
    return {"$schema": _DIALECT, **schema}


def list_meanings(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each value's path and what it is."""
    for name, value in values.items():
        yield name, MEANINGS.get(name, "")
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [one for one in read_fields(type(value)) if one.name not in NOT_SETTINGS]
            yield from ((f"{name}.{one.name}", one.text.partition("\n")[0]) for one in fields)


def _infer(value: object) -> Schema:
    """The schema of a value that is there."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _describe(type(value))
    if isinstance(value, Mapping):
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if isinstance(value, list | tuple):
        return {"type": "array", "items": _infer_item(value)}
    return {"type": _TYPES[type(value)]}


def _infer_item(items: list[object] | tuple[object, ...]) -> Schema:
    first = items[0] if items else None
    if isinstance(first, dict):
        return _close({name: _infer(value) for name, value in first.items()})
    return dict(_ANY) if first is None else _infer(first)


def _describe(hint: object) -> Schema:
    """The schema of a type."""
    arguments = typing.get_args(hint)
    if hint == _PAIRS:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": _describe(arguments[0])}
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return {"anyOf": [_describe(one) for one in arguments]}
    return _describe_class(hint)


def _describe_class(hint: object) -> Schema:
    if not isinstance(hint, type):
        raise TypeError(f"{hint} has no schema here")
    if issubclass(hint, enum.Enum):
        return {"enum": [one.value for one in hint]}
    if not dataclasses.is_dataclass(hint):
        return {"type": _TYPES[hint]}
    hints = typing.get_type_hints(hint)
    found = {one.name: _describe(hints[one.name]) for one in dataclasses.fields(hint) if one.name not in NOT_SETTINGS}
    return _close(found | {name: _describe_property(hint, name) for name in sorted(WORKED_OUT) if hasattr(hint, name)})


def _describe_property(owner: type, name: str) -> Schema:
    return _describe(typing.get_type_hints(getattr(owner, name).fget)["return"])


def _close(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(properties)}
