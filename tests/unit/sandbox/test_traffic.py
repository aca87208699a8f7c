"""Requests are divided by weight among variants and by share among containers."""

from __future__ import annotations

from collections import Counter
from functools import partial
from operator import truediv

import pytest

from dockyard_sandbox.traffic import choose_weighted


def divide(weights: list[float], draws: int = 100) -> Counter[str | None]:
    """How often each of the items `a`, `b`, … is chosen by evenly spread draws."""
    names = [chr(ord("a") + number) for number in range(len(weights))]
    return Counter(choose_weighted(names, weights, partial(truediv, number, draws)) for number in range(draws))


@pytest.mark.parametrize(
    ("weights", "counts"),
    [
        ([1], {"a": 100}),
        ([9, 1], {"a": 90, "b": 10}),
        ([0, 1], {"b": 100}),
        ([1, 0], {"a": 100}),
        ([0.5, 0.25, 0.25], {"a": 50, "b": 25, "c": 25}),
        ([0, 0], {"a": 50, "b": 50}),
        ([], {None: 100}),
    ],
)
def test_traffic_follows_weights(weights: list[float], counts: dict[str | None, int]) -> None:
    assert divide(weights) == counts


def test_rounding_never_falls_off_the_end() -> None:
    assert choose_weighted(["a", "b", "c"], [0.1, 0.2, 0.0], lambda: 1 - 2**-53) == "b"
