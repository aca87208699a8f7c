"""The command line with a fake Kit, in an empty folder and a bare environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.fake_kit import CommandLine, FakeKit


@pytest.fixture
def dockyard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Calls `dockyard` in this process."""
    for name in os.environ:
        if name.startswith(("DOCKYARD_", "MLFLOW_", "XDG_")) or name in {"NO_COLOR", "_DOCKYARD_COMPLETE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return CommandLine(kit=FakeKit(), capture=capsys, folder=folder)
