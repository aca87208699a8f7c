"""Says what is measured: tests of parts, and of programs those that tests ask for because they are about them.

`coverage run` tells every program below it by an environment variable to measure itself, and doing so, a program that imports
MLflow takes twice its time. Tests of the whole take as much longer. Both run lines that tests of parts run, so they are spared.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
from coverage import Coverage

_WHOLE = ("docs", "e2e", "examples")
"""Suites about the whole; so is any test that is marked `process`."""
_TOLD_BY = "COVERAGE_PROCESS_CONFIG"


@dataclass(kw_only=True)
class Measuring:
    """Of this process; `coverage` is None where nothing is measured."""

    coverage: Coverage | None
    is_on: bool = True

    def switch(self, *, on: bool) -> None:
        """Measure from now on, or do not."""
        if self.coverage is None or self.is_on == on:
            return
        if on:
            self.coverage.start()
        else:
            self.coverage.stop()
        self.is_on = on


_MEASURING = pytest.StashKey[Measuring]()


@pytest.fixture(scope="session", autouse=True)
def told_to_measure() -> str | None:
    """What programs were told; from now on they are told nothing. Sees to it before any other fixture starts one."""
    return os.environ.pop(_TOLD_BY, None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Spares tests of the whole being measured. Beginning to measure is slow: it is not done anew for each test."""
    if _MEASURING not in item.config.stash:
        item.config.stash[_MEASURING] = Measuring(coverage=Coverage.current())
    is_whole = item.nodeid.split("/")[1] in _WHOLE or item.get_closest_marker("process") is not None
    item.config.stash[_MEASURING].switch(on=not is_whole)


@pytest.fixture
def measured_programs(told_to_measure: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures the programs that a test starts, where anything is measured."""
    if told_to_measure is not None:
        monkeypatch.setenv(_TOLD_BY, told_to_measure)
