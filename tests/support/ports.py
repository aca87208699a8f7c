"""Ports for tests that run beside each other: every worker of pytest has its own, below those that kernels hand out."""

from __future__ import annotations

import itertools
import os

from dockyard.adapters.local.ports import is_port_free

_FIRST = 11_000
_EACH = 1_000
_worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", "0"))) or 0)
_counter = itertools.count()


def reserve_port() -> int:
    """A free port that no test of another worker is given, nor an earlier one of this one for a long while."""
    candidates = (_FIRST + _EACH * _worker + number % _EACH for number in _counter)
    return next(port for port in candidates if is_port_free("127.0.0.1", port))
