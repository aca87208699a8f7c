"""Pythons beside the project's own, for packages that are too large to be among those: made once, and kept between runs.

Their packages are pinned, with hashes, in requirements/, and come from wherever uv is set to take them from. Must not change
this Python.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from uv import find_uv_bin

from support.lab import Part, refuse_part

_DONE = "complete"
_SECONDS = 900


def provide_python(part: Part, requirements: Path) -> Path:
    """The interpreter of a Python with these packages in the user's cache folder, which is made where it is not there."""
    folder = find_folder(os.environ, requirements.stem, requirements.read_bytes())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run, and other runs
        if not (folder / _DONE).exists():
            _make_python(folder, part, requirements)
    return folder / "bin" / "python"


def find_folder(environ: Mapping[str, str], name: str, requirements: bytes) -> Path:
    """Where it is kept: another place for other packages, and for another Python."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    mark = hashlib.sha256(requirements + sys.version.encode()).hexdigest()[:16]
    return cache / "dockyard-tests" / f"{name}-{mark}"


def _make_python(folder: Path, part: Part, requirements: Path) -> None:
    """Make it. Where packages cannot be had, the tests that need it are skipped; with CI=true they fail."""
    python = str(folder / "bin" / "python")
    shutil.rmtree(folder, ignore_errors=True)
    commands = (
        ("venv", "--quiet", "--no-config", "--python", sys.executable, str(folder)),
        ("pip", "sync", "--quiet", "--require-hashes", "--python", python, str(requirements)),
    )
    for command in commands:
        done = subprocess.run([find_uv_bin(), *command], capture_output=True, text=True, check=False, timeout=_SECONDS)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            sys.stderr.write(done.stderr)
            refuse_part(part, in_ci=os.environ.get("CI", "").lower() in {"1", "true"})
    (folder / _DONE).touch()
