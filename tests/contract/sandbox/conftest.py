"""The bench of the control plane's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.sandbox_control import ControlBench, open_control_bench


@pytest.fixture
def bench() -> Iterator[ControlBench]:
    """A sandbox of fake containers at 5,000 times AWS's speed."""
    with open_control_bench() as opened:
        yield opened
