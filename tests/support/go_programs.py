"""The tests' programs in Go, which are built with the Go of the lab and kept between runs. A pytest plugin.

Owns them: the client in tests/lab/go_client, and the stand-in for Terraform's AWS provider in terraform/testing/provider.
Modules come from wherever Go is set to take them from; go.sum holds their hashes. Must not start a sandbox.
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

GO = Part(title="Go, or its modules", variable="", started_by="tools")
_ABSENT = 3
_SECONDS = 900
_BUILD = f"""
. lab/lib.sh
(need_go) || exit {_ABSENT}
need_go
cd "$2"
go mod download || exit {_ABSENT}
go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$1.new" . && mv "$1.new" "$1"
"""


@pytest.fixture(scope="session")
def go_client(lab_environment: dict[str, str]) -> Path:
    """The program that drives the sandbox as Terraform's AWS provider does."""
    return find_program(ROOT / "tests" / "lab" / "go_client", "go-client", lab_environment)


@pytest.fixture(scope="session")
def provider_stand_in(lab_environment: dict[str, str]) -> Path:
    """The folder with the program that stands in for Terraform's AWS provider."""
    sources = ROOT / "terraform" / "testing" / "provider"
    return find_program(sources, "provider-stand-in", lab_environment, name="terraform-provider-aws").parent


def find_program(sources: Path, title: str, environ: Mapping[str, str], name: str = "program") -> Path:
    """The program of that folder. Built again where a source has changed; Go's own caches make that take seconds."""
    program = Path(environ["LAB_CACHE"], title, mark_sources(sources), name)
    program.parent.mkdir(parents=True, exist_ok=True)
    with (program.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run, and other runs
        if not program.exists():
            build(sources, program, environ)
    return program


def mark_sources(folder: Path) -> str:
    """Another mark for other sources, and for another Go."""
    files = [*sorted(file for file in folder.rglob("*") if file.is_file()), ROOT / "lab" / "versions.env"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def build(sources: Path, program: Path, environ: Mapping[str, str]) -> None:
    """Build it. Where there is no Go, or no module can be had, the tests that need it are skipped; with CI=true they fail."""
    command = ["bash", "-c", _BUILD, "build", str(program), str(sources)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    if done.returncode == _ABSENT:
        refuse_part(GO, in_ci=is_ci(os.environ))
    assert done.returncode == 0, done.stderr
