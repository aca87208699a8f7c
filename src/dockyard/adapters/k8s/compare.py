"""Owns the differences between two states of one object, field by field. Pure.

What only the API server writes is no difference, nor is the tool that an object says it is managed by: Helm puts its own name
there. A variable's value is never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockyard.adapters.k8s.labels import MANAGED_BY
from dockyard.domain.k8s import Difference

_SERVERS_OWN = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"})


def compare_objects(title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return the fields of an object that would become others."""
    pairs = _walk(_drop_servers_own(before), _drop_servers_own(after), "")
    return tuple(Difference(what=f"{title} {path}", before=old, after=new) for path, old, new in pairs)


def _drop_servers_own(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in item["metadata"].items() if name not in _SERVERS_OWN}
    labels = {name: value for name, value in metadata.get("labels", {}).items() if name != MANAGED_BY}
    return {**{name: value for name, value in item.items() if name != "status"}, "metadata": {**metadata, "labels": labels}}


def _walk(before: object, after: object, path: str) -> Iterator[tuple[str, str | None, str | None]]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({**before, **after}):
            yield from _walk(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        for number in range(max(len(before), len(after))):
            old, new = (part[number] if number < len(part) else None for part in (before, after))
            yield from _walk(old, new, f"{path}[{number}]")
    else:
        yield path, _tell(before, path), _tell(after, path)


def _tell(value: object, path: str) -> str | None:
    if value is None:
        return None
    is_variable = ".env[" in path or path.endswith("dockyard.io/spec")
    return "***" if is_variable else str(value)
