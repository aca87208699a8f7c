"""Which container a request goes to: by weight among variants, by share among the containers of one.

Owns the choice. Pure: must not send anything, nor draw lots itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dockyard_sandbox.serving import ServingVariant, Target

_T = TypeVar("_T")
Draw = Callable[[], float]
"""Draws a number from 0 up to, but not including, 1."""


def choose_variant(variants: Sequence[ServingVariant], draw: Draw) -> ServingVariant | None:
    """A variant that has containers, by weight; None where there is none."""
    ready = [variant for variant in variants if variant.targets]
    return choose_weighted(ready, [variant.weight for variant in ready], draw)


def choose_target(targets: Sequence[Target], draw: Draw) -> Target | None:
    """A container, by its share of the traffic."""
    return choose_weighted(targets, [target.share for target in targets], draw)


def choose_weighted(items: Sequence[_T], weights: Sequence[float], draw: Draw) -> _T | None:
    """One of the items; where no weight is above zero, each is as likely as the next."""
    if not items:
        return None
    total = sum(weights)
    if total <= 0:
        return items[int(draw() * len(items))]
    point = draw() * total
    for item, weight in zip(items, weights, strict=True):
        point -= weight
        if point < 0:
            return item
    return next(item for item, weight in reversed(list(zip(items, weights, strict=True))) if weight > 0)
