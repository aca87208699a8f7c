"""Fixtures that every test may ask for, each in a module of its own under `support`; and the order that tests come in."""

from __future__ import annotations

import gc
import os

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
# Its thread changes this process's variables while tests read them, which ends in a KeyError at times. CI is without it anyway.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
_LONGEST_FILES = ("lab/test_tracking_stack.py", "lab/test_k8s_routes.py", "lab/test_k8s_strategies.py")
_LONGEST_SUITES = ("docs", "e2e", "examples", "process", "contract")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: what comes last then keeps all workers busy to the end."""
    items.sort(key=_rank)


def pytest_collection_finish() -> None:
    """Collect garbage from now on, but among what tests make: going through all that was imported takes half of their time."""
    gc.freeze()
    gc.enable()


def _rank(item: pytest.Item) -> tuple[int, int]:
    file = item.nodeid.removeprefix("tests/").partition("::")[0]
    return _find(file, _LONGEST_FILES), _find(file.partition("/")[0], _LONGEST_SUITES)


def _find(name: str, longest: tuple[str, ...]) -> int:
    return longest.index(name) if name in longest else len(longest)
