"""Locks and journal between processes, one of which is killed."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockyard.adapters.clock import SystemClock
from dockyard.adapters.journal import FileJournal
from dockyard.adapters.locks import FileLocks
from dockyard.domain.attempt import Attempt, AttemptKind, AttemptStatus
from dockyard.domain.errors import ConflictError
from support.local_values import KEY, make_model

pytestmark = pytest.mark.process

ATTEMPT = Attempt(
    id="0", key=KEY, kind=AttemptKind.DEPLOY, status=AttemptStatus.RUNNING, actor="ann", started="now", model=make_model(1)
)


def fork(act: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    return child


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path, SystemClock(), command="deploy")
    reading, writing = os.pipe()

    def hold() -> None:
        with locks.hold(KEY, "ann", 0):
            os.write(writing, b"!")
            time.sleep(60)

    child = fork(hold)
    os.read(reading, 1)
    with pytest.raises(ConflictError, match=f"pid {child}"), locks.hold(KEY, "bob", 0.3):
        raise AssertionError("it is held")
    kill(child)
    with locks.hold(KEY, "bob", 0):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    os.close(reading)
    os.close(writing)


def test_many_processes_never_hold_a_lock_together(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path / "locks", SystemClock(), command="deploy")
    counter, overlap = tmp_path / "counter", tmp_path / "overlap"
    counter.write_text("0")

    def count() -> None:
        for _ in range(5):
            with locks.hold(KEY, "ann", 60):
                seen = int(counter.read_text())
                time.sleep(0.002)
                if int(counter.read_text()) != seen:
                    overlap.touch()
                counter.write_text(str(seen + 1))

    children = [fork(count) for _ in range(4)]
    for child in children:
        os.waitpid(child, 0)
    assert (counter.read_text(), overlap.exists()) == ("20", False)


def test_journal_of_a_killed_writer_is_whole(tmp_path: Path) -> None:
    """Every save is larger than a page and different, so that a torn one could not be overlooked."""
    journal = FileJournal(tmp_path)

    def write() -> None:
        number = 0
        while True:
            number += 1
            journal.save_attempt(dataclasses.replace(ATTEMPT, id=str(number) * 3000, actor=str(number) * 3000))

    chance = random.Random(7)
    for _ in range(12):
        child = fork(write)
        time.sleep(chance.uniform(0.01, 0.08))
        kill(child)
        found = journal.find_attempt(KEY)
        assert found is None or found.id == found.actor
    assert journal.find_attempt(KEY) is not None
