"""Says what is measured: tests of parts, and of programs those that tests ask for because they are about them.

`coverage run` tells every program below it by an environment variable to measure itself, and doing so, a program that imports
MLflow takes twice its time. Tests of the whole take as much longer. Both run lines that tests of parts run, so they are spared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from coverage import Coverage

_WHOLE = ("docs", "e2e", "examples")
"""Suites about the whole; so is any test that is marked `process`."""
_TOLD_BY = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture(scope="session", autouse=True)
def told_to_measure() -> str | None:
    """What programs were told; from now on they are told nothing. Sees to it before any other fixture starts one."""
    return os.environ.pop(_TOLD_BY, None)


@pytest.fixture(autouse=True)
def unmeasured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Spares tests of the whole being measured."""
    is_whole = request.node.nodeid.split("/")[1] in _WHOLE or request.node.get_closest_marker("process") is not None
    measuring = Coverage.current() if is_whole else None
    if measuring is not None:
        measuring.stop()
    yield
    if measuring is not None:
        measuring.start()


@pytest.fixture
def measured_programs(told_to_measure: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures the programs that a test starts, where anything is measured."""
    if told_to_measure is not None:
        monkeypatch.setenv(_TOLD_BY, told_to_measure)
