"""`dockyard stack`, as a person at a shell: a process of its own, what it answers read as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_DOCKYARD = Path(sys.executable).with_name("dockyard")


def call_stack(
    verb: str, *arguments: str, environment: Mapping[str, str], folder: Path | None = None, umask: int = -1
) -> dict[str, object]:
    """The result of a verb that has to end well; negative `umask`: that of the tests."""
    ended = subprocess.run(
        [_DOCKYARD, "stack", verb, "--json", *arguments],
        env=environment,
        cwd=folder,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result: dict[str, object] = json.loads(ended.stdout)["result"]
    return result
