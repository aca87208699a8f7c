"""Says which programs that tests start are measured: those of the tests that ask for it, which are about those programs.

`coverage run` tells every program below it by an environment variable to measure itself, and doing so, a program that imports
MLflow takes twice its time. Whole commands run lines that other tests run in this process, so they are spared.
"""

from __future__ import annotations

import os

import pytest

_TOLD_BY = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture(scope="session", autouse=True)
def told_to_measure() -> str | None:
    """What programs were told; from now on they are told nothing. Sees to it before any other fixture starts one."""
    return os.environ.pop(_TOLD_BY, None)


@pytest.fixture
def measured_programs(told_to_measure: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures the programs that a test starts, where anything is measured."""
    if told_to_measure is not None:
        monkeypatch.setenv(_TOLD_BY, told_to_measure)
