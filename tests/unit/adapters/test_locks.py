"""Locks on deployments: one holder, a name for who it is, nothing left behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dockyard.adapters.locks import FileLocks
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.testing.surroundings import ManualClock
from support.local_values import KEY


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def locks(tmp_path: Path, clock: ManualClock) -> FileLocks:
    return FileLocks(tmp_path / "locks", clock, command="deploy")


def test_second_holder_is_told_who_has_it_since_when(locks: FileLocks) -> None:
    with locks.hold(KEY, "ann@example", 0), pytest.raises(ConflictError) as refused, locks.hold(KEY, "bob@example", 0):
        raise AssertionError("it is held")
    assert refused.value.code == "lock-held"
    assert refused.value.message == (
        f"prod/wine is being changed by ann@example on {socket.gethostname()} (`deploy`, pid {os.getpid()}) "
        "since 2026-01-01T00:00:00+00:00"
    )


def test_waiting_ends_when_the_time_is_up(locks: FileLocks, clock: ManualClock) -> None:
    with locks.hold(KEY, "ann", 0), pytest.raises(ConflictError), locks.hold(KEY, "bob", 2.5):
        raise AssertionError("it is held")
    assert clock.elapsed == pytest.approx(2.5)


def test_waiting_ends_when_the_lock_is_free(tmp_path: Path) -> None:
    class FreeingClock(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.elapsed > 1:
                first.__exit__(None, None, None)

    clock = FreeingClock()
    locks = FileLocks(tmp_path, clock, command="deploy")
    first = locks.hold(KEY, "ann", 0)
    first.__enter__()
    with locks.hold(KEY, "bob", 60):
        assert clock.elapsed < 2


def test_lock_is_free_after_an_error_and_leaves_no_file(locks: FileLocks, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locks.hold(KEY, "ann", 0):
        raise RuntimeError
    assert list((tmp_path / "locks").iterdir()) == []
    with locks.hold(KEY, "bob", 0):
        assert len(list((tmp_path / "locks").iterdir())) == 1


def test_other_deployments_are_not_held_up(locks: FileLocks) -> None:
    with locks.hold(KEY, "ann", 0), locks.hold(DeploymentKey(environment="prod", name="beer"), "ann", 0):
        assert True


def test_damaged_words_about_the_holder_do_not_matter(locks: FileLocks, tmp_path: Path) -> None:
    with locks.hold(KEY, "ann", 0):
        next((tmp_path / "locks").iterdir()).write_text("{")
        with pytest.raises(ConflictError, match="another command"), locks.hold(KEY, "bob", 0):
            raise AssertionError("it is held")
