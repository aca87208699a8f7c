"""Waiting records: kept for their owner only, whole or not there, and one damaged file keeps no other back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dockyard.adapters.entry_queue import JsonEntryQueue
from dockyard.domain.attempt import RegistryEntry
from dockyard.ports import EntryQueue
from dockyard.testing.registry import MemoryQueue
from support.attempts import make_attempt, make_entry
from support.local_values import KEY, make_model


def entry(number: int) -> RegistryEntry:
    """The entry of the `number`th attempt."""
    return make_entry(make_attempt(KEY, make_model(), number=number))


@pytest.fixture(params=["file", "memory"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> EntryQueue:
    """A queue of either kind."""
    return JsonEntryQueue(tmp_path / "queue") if request.param == "file" else MemoryQueue()


def test_entries_are_listed_oldest_first(queue: EntryQueue) -> None:
    assert queue.list_entries() == ()
    for number in (2, 10, 1):
        queue.put_entry(entry(number))
    assert queue.list_entries() == (entry(1), entry(2), entry(10))


def test_entry_of_the_same_attempt_replaces_the_first(queue: EntryQueue) -> None:
    changed = dataclasses.replace(entry(1), registry="elsewhere")
    queue.put_entry(entry(1))
    queue.put_entry(changed)
    assert queue.list_entries() == (changed,)


def test_deleted_entry_is_gone_and_deleting_it_again_is_no_error(queue: EntryQueue) -> None:
    queue.put_entry(entry(1))
    queue.put_entry(entry(2))
    for _ in range(2):
        queue.delete_entry(entry(1).attempt.id)
    assert queue.list_entries() == (entry(2),)


@pytest.mark.parametrize("attempt_id", ["../../escape", "a/b", "..", ".", "", "ü\0\n", "a" * 60])
def test_any_id_stays_inside_the_folder(tmp_path: Path, attempt_id: str) -> None:
    queue = JsonEntryQueue(tmp_path / "queue")
    named = make_entry(make_attempt(KEY, make_model(), id=attempt_id))
    queue.put_entry(named)
    assert queue.list_entries() == (named,)
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path / "queue"]
    queue.delete_entry(attempt_id)
    assert queue.list_entries() == ()


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    JsonEntryQueue(tmp_path / "queue").put_entry(entry(1))
    assert (tmp_path / "queue").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "queue").iterdir()] == [0o600]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"attempt": {}}'])
def test_damaged_entry_is_named_and_keeps_no_other_back(tmp_path: Path, content: bytes) -> None:
    queue = JsonEntryQueue(tmp_path / "queue")
    queue.put_entry(entry(1))
    (tmp_path / "queue" / "attempt-damaged.json").write_bytes(content)
    assert queue.list_entries() == (entry(1),)
    (damaged,) = queue.list_damaged()
    assert damaged.code == "state-corrupt"
    assert str(tmp_path / "queue" / "attempt-damaged.json") in damaged.message


def test_entry_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    queue = JsonEntryQueue(tmp_path / "queue")
    (tmp_path / "queue" / "attempt-folder.json").mkdir(parents=True)
    (damaged,) = queue.list_damaged()
    assert "attempt-folder.json" in damaged.message
    assert queue.list_entries() == ()


def test_what_a_killed_writer_left_behind_is_not_an_entry(tmp_path: Path) -> None:
    queue = JsonEntryQueue(tmp_path / "queue")
    queue.put_entry(entry(1))
    (tmp_path / "queue" / ".other.json.new").write_bytes(b"{")
    assert (queue.list_entries(), queue.list_damaged()) == ((entry(1),), ())


def test_entry_that_somebody_else_has_just_sent_is_no_longer_listed(tmp_path: Path) -> None:
    queue = JsonEntryQueue(tmp_path / "queue")
    queue.put_entry(entry(1))
    (tmp_path / "queue" / "attempt-sent.json").symlink_to(tmp_path / "gone")  # listed, and not there when it is opened
    assert (queue.list_entries(), queue.list_damaged()) == ((entry(1),), ())
