"""Tests of the start file's one task: the locked dependencies come before the interpreter's own packages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard_scorer.bootstrap import add_site_packages


@pytest.fixture
def kept_path() -> Iterator[None]:
    """Puts `sys.path` back."""
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.mark.usefixtures("kept_path")
def test_dependencies_come_right_behind_the_scorers_own_sources(tmp_path: Path) -> None:
    own = sys.path[0]
    add_site_packages(str(tmp_path))
    assert sys.path[:2] == [own, str(tmp_path)]


@pytest.mark.usefixtures("kept_path")
def test_folder_that_is_on_the_path_stays_where_it_is_and_its_pth_files_are_run(tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked.pth").write_text(f"{tmp_path / 'linked'}\n")
    sys.path.append(str(tmp_path))
    add_site_packages(str(tmp_path))
    assert sys.path.count(str(tmp_path)) == 1
    assert os.fspath(tmp_path / "linked") in sys.path
