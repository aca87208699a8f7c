"""Owns how a host starts its two programs. Must not know what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_STAND_SECONDS = 30
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "COVERAGE_PROCESS_CONFIG")
"""The last one lets tests see which lines of the programs they run."""


def start_program(module: str, arguments: Sequence[str], *, folder: Path, log: Path, descriptors: Sequence[int] = ()) -> bool:
    """Start a module as a daemon and wait until it stands (see `detach`). False when it ended before, or takes too long.

    It sees the modules that we see and little else of our environment: it outlives us, and has no use for our secrets.
    """
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    with log.open("ab") as output, suppress(subprocess.TimeoutExpired):
        result = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=descriptors,
            start_new_session=True,  # a Ctrl-C is for the command that we are part of
            timeout=_STAND_SECONDS,
            check=False,
        )
        return result.returncode == 0
    return False
