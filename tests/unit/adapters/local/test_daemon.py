"""Pid files: held by who lives, and by nobody else."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockyard.adapters.local.daemon import end_holder, find_holder, hold_pid_file, holds


@contextmanager
def holder(path: Path, *, is_deaf: bool = False) -> Iterator[int]:
    """Another process that holds the pid file."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if is_deaf:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            hold_pid_file(path)
            os.write(writing, b"!")
            signal.pause()
            time.sleep(60)
        finally:
            os._exit(0)
    os.read(reading, 1)
    os.close(reading)
    os.close(writing)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_holder_is_found_while_it_lives(tmp_path: Path) -> None:
    path = tmp_path / "part.pid"
    assert find_holder(path) is None
    with holder(path) as pid:
        assert find_holder(path) == pid
        assert hold_pid_file(path) is None
    assert find_holder(path) is None, "the file is there, with a pid in it, but nobody holds it"


def test_looking_for_a_holder_does_not_keep_one_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "part.pid"
    path.touch()
    with path.open() as looked_at:
        fcntl.flock(looked_at, fcntl.LOCK_SH)
        signal.signal(signal.SIGALRM, lambda *_: fcntl.flock(looked_at, fcntl.LOCK_UN))
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        descriptor = hold_pid_file(path)
    assert descriptor is not None
    os.close(descriptor)


def test_lost_folder_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "part.pid"
    path.parent.mkdir()
    descriptor = hold_pid_file(path)
    assert descriptor is not None
    assert holds(path, descriptor)
    shutil.rmtree(path.parent)
    assert not holds(path, descriptor)
    path.parent.mkdir()
    path.touch()
    assert not holds(path, descriptor), "another file of that name is not ours"
    os.close(descriptor)


@pytest.mark.parametrize("is_deaf", [False, True])
def test_holder_is_ended_and_killed_if_it_must_be(tmp_path: Path, is_deaf: bool) -> None:
    path = tmp_path / "part.pid"
    with holder(path, is_deaf=is_deaf):
        end_holder(path, grace_seconds=0.2)
        assert find_holder(path) is None
        end_holder(path, grace_seconds=0.2)


def test_pid_in_a_stale_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "part.pid"
    path.write_text(str(os.getpid()))
    assert find_holder(path) is None
    end_holder(path, grace_seconds=0)  # or the tests would end here
