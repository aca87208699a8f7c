"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.files import delete_file, write_file


def test_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "state.json"
    for content in (b"first, which is longer", b"second"):
        write_file(path, content)
        assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == ["state.json"]


def test_what_a_killed_writer_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".state.json.new").write_bytes(b"half of something that was much lon")
    write_file(tmp_path / "state.json", b"whole")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("state.json", b"whole")]


def test_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    write_file(tmp_path / "state.json", b"old")
    (tmp_path / ".state.json.new").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path / "state.json", b"new")
    assert (tmp_path / "state.json").read_bytes() == b"old"


def test_deleting_twice_is_no_error(tmp_path: Path) -> None:
    write_file(tmp_path / "route.json", b"x")
    for _ in range(2):
        delete_file(tmp_path / "route.json")
    assert list(tmp_path.iterdir()) == []
