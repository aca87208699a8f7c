"""Values that a closed JSON schema has to refuse: every key misspelt, everything of another type. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Schema = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """Values with many faults, and the place of each: a JSON pointer, and a key that is unknown there (else empty)."""

    values: dict[str, object]
    faults: frozenset[tuple[str, str]]


def misspell(schema: Schema) -> Mutation:
    """Every key of every closed object, misspelt beside the right one."""
    faults: set[tuple[str, str]] = set()

    def build(node: Schema, pointer: str) -> object:
        if "items" in node:
            inner = build(_of(node, "items"), f"{pointer}/0")
            return [inner] if inner else []
        built: dict[str, object] = {}
        for key, child in _properties(node):
            inner = build(child, f"{pointer}/{key}")
            if inner:
                built[key] = inner
            if node.get("additionalProperties") is False:
                built[f"{key}x"] = 1
                faults.add((pointer, f"{key}x"))
        return built

    values = build(schema, "")
    assert isinstance(values, dict)
    return Mutation(values=values, faults=frozenset(faults))


def mistype(schema: Schema) -> Iterator[Mutation]:
    """One set of values for each depth: everything at that depth is of another type, what is above it is right."""
    depth = 1
    while True:
        faults: set[tuple[str, str]] = set()
        values = _mistype_at(schema, "", depth, faults)
        if not faults:
            return
        assert isinstance(values, dict)
        yield Mutation(values=values, faults=frozenset(faults))
        depth += 1


def _mistype_at(node: Schema, pointer: str, depth: int, faults: set[tuple[str, str]]) -> object:
    if depth == 0:
        faults.add((pointer, ""))
        return 7.5 if _is_of(node, "object") or _is_of(node, "array") else [["another type"]]
    built: dict[str, object] = {}
    for key, child in _list_children(node):
        inner = _mistype_at(child, f"{pointer}/{key}", depth - 1, faults)
        if inner is not None:
            built[key] = inner
    if _is_of(node, "array"):
        return list(built.values()) or None
    return built or None


def _list_children(node: Schema) -> Iterator[tuple[str, Schema]]:
    yield from _properties(node)
    if "items" in node:
        yield "0", _of(node, "items")
    if isinstance(node.get("additionalProperties"), Mapping):
        yield "ANY", _of(node, "additionalProperties")


def _is_of(node: Schema, kind: str) -> bool:
    return node.get("type") == kind


def _of(node: Schema, key: str) -> Schema:
    found = node[key]
    assert isinstance(found, Mapping)
    return found


def _properties(node: Schema) -> Iterator[tuple[str, Schema]]:
    for key, child in (_of(node, "properties") if "properties" in node else {}).items():
        assert isinstance(child, Mapping)
        yield key, child
