"""Checks requests and answers against the service model that botocore ships, as exactly as AWS checks requests.

Owns required members, types, lengths, ranges, patterns, enumerations and unknown members, and the words of the refusal. Must
not know what an operation does: rules between members are the operations' own.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from botocore.session import Session

from dockyard_sandbox.errors import ApiError
from dockyard_sandbox.fields import Fields

_SEPARATORS = "\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CATEGORY = re.compile(r"\\p\{(\w)\}")
_COUNTED_END = re.compile(r"\$\{\d+,\d+\}")  # Java takes a counted `$`; it says nothing where the whole string is matched
_SPELLINGS = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": _SEPARATORS,
    r"\p{Alnum}": "0-9A-Za-z",  # only in classes
    r"\p{Print}": r"[\x20-\x7e]",  # stands alone wherever it stands
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
}
_LENGTHS = {"string", "list", "map", "blob"}
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}
_SECRET_PATHS = ("environment",)


class Shape(Protocol):
    """What of botocore's Shape is used here; its maps and lists have the members of their kind."""

    name: str
    type_name: str
    metadata: Mapping[str, object]


class _Structure(Shape, Protocol):
    members: Mapping[str, Shape]
    required_members: list[str]


class _List(Shape, Protocol):
    member: Shape


class _Map(Shape, Protocol):
    key: Shape
    value: Shape


class _Operation(Protocol):
    input_shape: Shape | None
    output_shape: Shape | None


class _ServiceModel(Protocol):
    operation_names: list[str]

    def operation_model(self, operation_name: str) -> _Operation: ...

    def shape_for(self, shape_name: str) -> Shape: ...


class ResponseShapeError(Exception):
    """An answer of the sandbox is not of its operation's shape: a defect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One way in which a value is not of its shape."""

    path: str
    value: object
    rule: str
    is_type: bool = False

    def __str__(self) -> str:
        shown = "***" if self.path.split(".")[0].lower() in _SECRET_PATHS or ".environment" in self.path else self.value
        quoted = "null" if self.value is None else f"'{shown}'"
        return f"Value {quoted} at '{self.path}' failed to satisfy constraint: {self.rule}"


class Shapes:
    """The shapes of one service's operations."""

    def __init__(self, service: str) -> None:
        self._model = cast("_ServiceModel", _load_model(service))
        self.operations = frozenset(self._model.operation_names)

    def check_request(self, operation: str, body: Mapping[str, object]) -> Fields:
        """The request without its nulls. Raises ApiError as AWS answers: SerializationException or ValidationException."""
        cleaned = _drop_nulls(body)
        shape = self._model.operation_model(operation).input_shape
        violations = [] if shape is None else list(find_violations(shape, cleaned))
        wrong_types = [found for found in violations if found.is_type]
        if wrong_types:
            raise ApiError("SerializationException", f"{wrong_types[0].path}: {wrong_types[0].rule}")
        if violations:
            count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected: "
            raise ApiError("ValidationException", count + "; ".join(str(found) for found in violations))
        return Fields(cleaned)

    def check_response(self, operation: str, body: Mapping[str, object]) -> None:
        """Raises ResponseShapeError unless `body` is what the operation returns."""
        shape = self._model.operation_model(operation).output_shape
        if shape is None:
            if body:
                raise ResponseShapeError(f"{operation} returns nothing, and was to return {sorted(body)}")
            return
        for violation in find_violations(shape, body):
            if violation.value == []:
                continue  # a list's minimum is of requests: AWS's own answers have empty lists
            raise ResponseShapeError(f"{operation}: {violation}")


def list_allowed(service: str, shape_name: str) -> tuple[str, ...]:
    """The values of an enumeration. Raises KeyError where the shape has none."""
    shape = cast("_ServiceModel", _load_model(service)).shape_for(shape_name)
    return tuple(cast("list[str]", shape.metadata["enum"]))


@cache
def _load_model(service: str) -> object:
    model: object = Session().get_service_model(service)
    return model


def find_violations(shape: Shape, value: object, path: str = "") -> Iterator[Violation]:
    """All ways in which a JSON value is not of a shape."""
    if not _has_type(shape, value):
        yield Violation(path=path, value=value, rule=f"a value of type {shape.type_name} was expected", is_type=True)
        return
    yield from _find_constraint_violations(shape, value, path)
    if shape.type_name == "structure":
        yield from _find_member_violations(cast("_Structure", shape), cast("Mapping[str, object]", value), path)
    elif shape.type_name == "list":
        member = cast("_List", shape).member
        for number, item in enumerate(cast("list[object]", value), start=1):
            yield from find_violations(member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        yield from _find_entry_violations(cast("_Map", shape), cast("Mapping[str, object]", value), path)


def _has_type(shape: Shape, value: object) -> bool:
    if isinstance(value, bool) and shape.type_name != "boolean":
        return False
    return isinstance(value, _JSON_TYPES[shape.type_name])


def _find_member_violations(shape: _Structure, value: Mapping[str, object], path: str) -> Iterator[Violation]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield Violation(path=_join(path, name), value=None, rule="Member must not be null")
    for name, member in value.items():
        if name not in shape.members:
            yield Violation(path=_join(path, name), value=name, rule="Member is not known", is_type=True)
        else:
            yield from find_violations(shape.members[name], member, _join(path, name))


def _find_entry_violations(shape: _Map, value: Mapping[str, object], path: str) -> Iterator[Violation]:
    for key, entry in value.items():
        for found in find_violations(shape.key, key, path):
            yield Violation(path=path, value=key, rule=f"Map keys must satisfy constraint: [{found.rule}]")
        for found in find_violations(shape.value, entry, f"{path}.{key}.member"):
            rule = found.rule if found.is_type else f"Map value must satisfy constraint: [{found.rule}]"
            yield Violation(path=found.path, value=found.value, rule=rule, is_type=found.is_type)


def _find_constraint_violations(shape: Shape, value: object, path: str) -> Iterator[Violation]:
    limits = shape.metadata
    if shape.type_name in _LENGTHS:
        size, what = len(cast("str", value)), "length"
    elif isinstance(value, (int, float)):
        size, what = cast("int", value), "value"
    else:
        return
    low, high = limits.get("min"), limits.get("max")
    if isinstance(low, (int, float)) and size < low:
        yield Violation(path=path, value=value, rule=f"Member must have {what} greater than or equal to {low}")
    if isinstance(high, (int, float)) and size > high:
        yield Violation(path=path, value=value, rule=f"Member must have {what} less than or equal to {high}")
    if shape.type_name == "string":
        yield from _find_text_violations(limits, cast("str", value), path)


def _find_text_violations(limits: Mapping[str, object], value: str, path: str) -> Iterator[Violation]:
    pattern, allowed = limits.get("pattern"), limits.get("enum")
    if isinstance(pattern, str) and not _compile(pattern).fullmatch(value):
        yield Violation(path=path, value=value, rule=f"Member must satisfy regular expression pattern: {pattern}")
    if isinstance(allowed, list) and value not in allowed:
        yield Violation(path=path, value=value, rule=f"Member must satisfy enum value set: [{', '.join(allowed)}]")


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    """Java's classes in Python's words: letters and numbers together, as every pattern here has them, are Python's `\\w`."""
    inside = _COUNTED_END.sub("", pattern)
    for java, python in _SPELLINGS.items():
        inside = inside.replace(java, python)
    return re.compile(_CATEGORY.sub(lambda found: _spell_category(found[1]), inside))


@cache
def _spell_category(letter: str) -> str:
    """The inside of a character class for a Unicode category such as `P`."""
    return "".join(f"\\U{start:08x}-\\U{end:08x}" for major, start, end in _list_categories() if major == letter)


@cache
def _list_categories() -> tuple[tuple[str, int, int], ...]:
    """All of Unicode as runs of equal major category: its letter, the first and the last code point."""
    majors = "".join(unicodedata.category(point)[0] for point in map(chr, range(sys.maxunicode + 1)))
    return tuple((run[1], run.start(), run.end() - 1) for run in re.finditer(r"(.)\1*", majors))


def _join(path: str, name: str) -> str:
    lower = name[:1].lower() + name[1:]
    return f"{path}.{lower}" if path else lower


def _drop_nulls(value: Mapping[str, object]) -> dict[str, object]:
    return {name: _clean(member) for name, member in value.items() if member is not None}


def _clean(value: object) -> object:
    if isinstance(value, Mapping):
        return _drop_nulls(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
