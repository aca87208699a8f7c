"""Fixtures that every test may ask for, each in a module of its own under `support`; and the order that tests come in."""

from __future__ import annotations

import gc

import pytest

pytest_plugins = [
    "support.lab",
    "support.go_programs",
    "support.measuring",
    "support.sagemaker_cloud",
    "support.sagemaker_sdk",
    "support.session",
    "support.terraform",
    "support.tracking",
    "support.tracking_image",
    "support.tracking_renders",
]
gc.disable()
_LONGEST_FIRST = ("docs", "e2e", "examples", "process", "contract")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the suites whose tests take longest: what comes last then keeps all workers busy to the end."""
    items.sort(key=_rank)


def pytest_collection_finish() -> None:
    """Collect garbage from now on, but among what tests make: going through all that was imported takes half of their time."""
    gc.freeze()
    gc.enable()


def _rank(item: pytest.Item) -> int:
    suite = item.nodeid.split("/")[1]
    return _LONGEST_FIRST.index(suite) if suite in _LONGEST_FIRST else len(_LONGEST_FIRST)
