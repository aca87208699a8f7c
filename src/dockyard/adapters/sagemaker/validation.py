"""Owns checking requests against the service's own model, before anything is sent: what botocore leaves to the server.

botocore checks types and what is required; lengths, ranges, patterns and enumerations are found out by the service only, some
of them minutes later. Rules between members, which the model does not have, are in `rules`. Contacts nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from dockyard.adapters.sagemaker.patterns import matches_whole
from dockyard.adapters.sagemaker.rules import find_rule_violations
from dockyard.adapters.sagemaker.setting_names import Place, name_place
from dockyard.adapters.sagemaker.shapes import ListOf, MapOf, Shape, Structure, find_input, list_values
from dockyard.adapters.sagemaker.violations import Violation, show_value
from dockyard.domain.sagemaker import DEFAULT_INSTANCE

_MAX_LISTED = 8
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a text"),
    "character": ((str,), "a text"),
    "blob": ((bytes, bytearray, str), "bytes"),
    "integer": ((int,), "a whole number"),
    "long": ((int,), "a whole number"),
    "float": ((int, float, Decimal), "a number"),
    "double": ((int, float, Decimal), "a number"),
    "boolean": ((bool,), "true or false"),
    "timestamp": ((datetime, int, float, str), "a time"),
    "structure": ((Mapping,), "an object"),
    "map": ((Mapping,), "a mapping"),
    "list": ((list, tuple), "a list"),
}
_COUNTED = {"list": "entry", "map": "entry", "string": "character", "blob": "byte"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One value that the service does not take, in the words of who set it."""

    place: str
    """The setting; where none stands behind the value, the operation and its member."""
    message: str

    def __str__(self) -> str:
        return f"`{self.place}`: {self.message}"


def check_request(service: str, operation: str, params: Mapping[str, object]) -> tuple[Problem, ...]:
    """What the service would not take of a request, as boto3 is given it; in the order of its members, each thing once."""
    shape = find_input(service, operation)
    found = [] if shape is None else [*_walk(shape, params, ()), *find_rule_violations(service, operation, params)]
    problems = (Problem(place=name_place(Place(service, operation, one.path)), message=one.message) for one in found)
    return tuple(dict.fromkeys(problems))


def _walk(shape: Shape, value: object, path: tuple[str, ...]) -> Iterator[Violation]:
    types, wanted = _TYPES[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield Violation(path=path, message=f"must be {wanted}, and is of type {type(value).__name__}")
        return
    yield from _check_size(shape, value, path)
    match shape.type_name:
        case "structure":
            yield from _walk_structure(cast("Structure", shape), cast("Mapping[str, object]", value), path)
        case "list":
            for number, item in enumerate(cast("Sequence[object]", value)):
                yield from _walk(cast("ListOf", shape).member, item, (*path, f"[{number}]"))
        case "map":
            yield from _walk_map(cast("MapOf", shape), cast("Mapping[str, object]", value), path)
        case "string":
            yield from _check_text(shape, cast("str", value), path)


def _walk_structure(shape: Structure, value: Mapping[str, object], path: tuple[str, ...]) -> Iterator[Violation]:
    if shape.is_document_type:
        return
    for name in shape.required_members:
        if name not in value:
            yield Violation(path=(*path, name), message="is missing")
    if shape.is_tagged_union and len(value) != 1:
        yield Violation(path=path, message=f"must have exactly one of {', '.join(shape.members)}")
    for name, member in value.items():
        if name in shape.members:
            yield from _walk(shape.members[name], member, (*path, name))
        else:
            nearest = _tell_nearest(name, tuple(shape.members))
            yield Violation(path=(*path, name), message=f"is not known to the service{nearest}")


def _walk_map(shape: MapOf, value: Mapping[str, object], path: tuple[str, ...]) -> Iterator[Violation]:
    for key, entry in value.items():
        for found in _walk(shape.key, key, ()):
            yield Violation(path=path, message=f"a name {found.message}")
        yield from _walk(shape.value, entry, (*path, key))


def _check_size(shape: Shape, value: object, path: tuple[str, ...]) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | bytes | bytearray | Sequence | Mapping):
        return
    size = value if isinstance(value, int | float | Decimal) else len(value)
    what = _COUNTED.get(shape.type_name)
    told = f"has {_count(cast('int', size), what)}" if what else f"is {size}"
    if isinstance(low, int | float) and size < low:
        yield Violation(path=path, message=f"{told}; the service takes {low} and more")
    if isinstance(high, int | float) and size > high:
        yield Violation(path=path, message=f"{told}; the service takes {high} at most")


def _check_text(shape: Shape, value: str, path: tuple[str, ...]) -> Iterator[Violation]:
    allowed = list_values(shape)
    if allowed and value not in allowed:
        yield Violation(path=path, message=_tell_allowed(show_value(path, value), value, allowed))
    pattern, longest = shape.metadata.get("pattern"), cast("int", shape.metadata.get("max", len(value)))
    if isinstance(pattern, str) and len(value) <= longest and not matches_whole(pattern, value):
        yield Violation(path=path, message=f"{show_value(path, value)} is not of the form {pattern}")


def _tell_allowed(shown: str, value: str, allowed: tuple[str, ...]) -> str:
    if len(allowed) <= _MAX_LISTED:
        return f"{shown} is not one of {', '.join(allowed)}"
    return f"{shown} is not one of the {len(allowed)} that the service takes{_tell_nearest(value, allowed)}"


def _tell_nearest(value: str, allowed: tuple[str, ...]) -> str:
    near = [f"ml.{value}"] if f"ml.{value}" in allowed else difflib.get_close_matches(value, allowed, n=1)
    if not near and DEFAULT_INSTANCE in allowed:
        near = [DEFAULT_INSTANCE]
    return f"; nearest: {near[0]}" if near else ""


def _count(number: int, what: str) -> str:
    plural = what[:-1] + "ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"
