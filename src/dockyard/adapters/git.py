"""Owns the one question that Dockyard asks of git: which commit a folder is at."""

from __future__ import annotations

import subprocess
from pathlib import Path

_TIMEOUT_SECONDS = 5


def find_commit(folder: Path) -> str | None:
    """The commit that is checked out in the folder; None outside a repository, without git, or before the first commit."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
