"""Owns what Gateways say about an HTTPRoute. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_PROMISES = ("Accepted", "ResolvedRefs")


def explain_route(route: Json | None) -> str:
    """Return why no requests come by a route; nothing where they come, or there is no route."""
    if route is None:
        return ""
    parents = (route.get("status") or {}).get("parents") or []
    if not parents:
        return "no Gateway has answered for its HTTPRoute"
    return next((problem for parent in parents for problem in _list_problems(parent, route["metadata"]["generation"])), "")


def _list_problems(parent: Json, generation: int) -> Iterator[str]:
    conditions = {one["type"]: one for one in parent.get("conditions") or []}
    for promise in _PROMISES:
        found = conditions.get(promise)
        if found is None or found.get("observedGeneration", generation) < generation:
            yield f"Gateway {parent['parentRef']['name']} has not answered for its HTTPRoute"
        elif found["status"] != "True":
            yield f"Gateway {parent['parentRef']['name']} says {found['reason']}: {found['message']}"
