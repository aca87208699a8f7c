"""What Gateways say of a route."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.adapters.k8s.routes import explain_route

Json = dict[str, Any]


def condition(name: str, status: str = "True", generation: int = 2) -> Json:
    return {"type": name, "status": status, "reason": "Because", "message": "it says so", "observedGeneration": generation}


def make_route(*parents: tuple[Json, ...]) -> Json:
    found = [{"parentRef": {"name": "shared"}, "conditions": list(conditions)} for conditions in parents]
    return {"metadata": {"generation": 2}, "status": {"parents": found}}


GOOD = (condition("Accepted"), condition("ResolvedRefs"))


def test_route_that_every_gateway_takes_is_no_problem() -> None:
    assert explain_route(None) == ""
    assert explain_route(make_route(GOOD, GOOD)) == ""


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (make_route(), "no Gateway has answered"),
        ({"metadata": {"generation": 1}}, "no Gateway has answered"),
        (make_route(GOOD, (condition("Accepted", "False"), condition("ResolvedRefs"))), "shared says Because: it says so"),
        (make_route((condition("Accepted"), condition("ResolvedRefs", "False"))), "shared says Because: it says so"),
        (make_route((condition("Accepted"),)), "shared has not answered"),
        (make_route((condition("Accepted", generation=1), condition("ResolvedRefs"))), "shared has not answered"),
    ],
)
def test_what_a_gateway_does_not_take_or_has_not_seen_yet_is_told(route: Json, words: str) -> None:
    assert words in explain_route(route)
