"""The program in tests/lab/go_client, which is built with the Go of the lab and kept between runs. A pytest plugin.

Owns that program. Modules come from wherever Go is set to take them from; go.sum holds their hashes. Must not start a sandbox.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.lab import ROOT, Part, is_ci, refuse_part

SOURCES = ROOT / "tests" / "lab" / "go_client"
GO = Part(title="Go, or its modules", variable="", started_by="tools")
_ABSENT = 3
_SECONDS = 900
_BUILD = f"""
. lab/lib.sh
(need_go) || exit {_ABSENT}
need_go
cd tests/lab/go_client
go mod download || exit {_ABSENT}
go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$1.new" . && mv "$1.new" "$1"
"""


@pytest.fixture(scope="session")
def go_client(lab_environment: dict[str, str]) -> Path:
    """The program. Built again where a source has changed; Go's own caches make that take seconds."""
    program = Path(lab_environment["LAB_CACHE"], "go-client", mark_sources(SOURCES))
    program.parent.mkdir(parents=True, exist_ok=True)
    with program.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run, and other runs
        if not program.exists():
            build(program, lab_environment)
    return program


def mark_sources(folder: Path) -> str:
    """Another mark for other sources, and for another Go."""
    files = [*sorted(folder.iterdir()), ROOT / "lab" / "versions.env"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def build(program: Path, environ: Mapping[str, str]) -> None:
    """Build it. Where there is no Go, or no module can be had, the tests that need it are skipped; with CI=true they fail."""
    command = ["bash", "-c", _BUILD, "build", str(program)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    if done.returncode == _ABSENT:
        refuse_part(GO, in_ci=is_ci(os.environ))
    assert done.returncode == 0, done.stderr
