"""Locking requirements: from what a model asks for to the exact wheels that its image gets.

Owns running uv and the cache of locks. Must not fetch wheels. The same request is answered from the cache until `refresh`
asks anew, so that an image does not change under a model that did not.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uv

from dockyard_image.digest import digest_fields, hex_of
from dockyard_image.errors import LockError
from dockyard_image.files import write_atomically
from dockyard_image.indexes import IndexSettings, read_index_settings
from dockyard_image.lockfile import Lock, decode_lock, encode_lock, no_wheel, parse_pylock
from dockyard_image.platforms import find_platform, python_minor, supported_tags
from dockyard_image.uv_failure import explain_failure

_FORMAT = 1
_TIMEOUT_SECONDS = 900
_FROM_SOURCE = ("git+", "hg+", "svn+", "bzr+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """What to lock, for which Python and machine. `indexes` is the user's own settings when left out."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    python: str = "3.11"
    platform: str = "linux/amd64"
    cache: Path
    indexes: IndexSettings | None = None
    refresh: bool = False


def lock_requirements(request: LockRequest) -> Lock:
    """Resolve to wheels only. Raises LockError.

    Codes: `requirements-unsatisfiable`, `no-wheel` (names the package; the engine builder can compile it),
    `index-unreachable`, `index-refused`, `uv-missing`.
    """
    python_minor(request.python)
    for line in request.requirements:
        _refuse_source(line)
    indexes = request.indexes or read_index_settings(os.environ, Path.home())
    path = request.cache / "locks" / f"{hex_of(_cache_key(request, indexes))}.json"
    cached = None if request.refresh or not path.is_file() else decode_lock(path.read_bytes())
    if cached is not None:
        return cached
    pylock = _run_uv(request, indexes)
    lock = parse_pylock(pylock, supported_tags(request.python, request.platform))
    with write_atomically(path) as file:
        file.write(encode_lock(lock))
    return lock


def _cache_key(request: LockRequest, indexes: IndexSettings) -> str:
    return digest_fields(
        {
            "format": _FORMAT,
            "requirements": list(request.requirements),
            "constraints": list(request.constraints),
            "python": request.python,
            "platform": request.platform,
            "indexes": indexes.digest,
        }
    )


def _refuse_source(line: str) -> None:
    name, at, address = line.partition("@")
    if at and address.strip().startswith(_FROM_SOURCE):
        raise no_wheel(name.strip())


def _run_uv(request: LockRequest, indexes: IndexSettings) -> str:
    """Run in an empty folder, so that no project's settings slip in with the folder the user happens to stand in."""
    with tempfile.TemporaryDirectory(prefix="dockyard-lock-") as folder:
        _write_lines(Path(folder, "requirements.in"), request.requirements)
        _write_lines(Path(folder, "constraints.txt"), request.constraints)
        command = _compile_command(request, indexes)
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=dict(indexes.environment),
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            message = f"uv did not finish within {_TIMEOUT_SECONDS} seconds"
            raise LockError("index-unreachable", message, "Check the network and the package index.") from error
        except OSError as error:
            raise _uv_missing() from error
    if done.returncode != 0:
        raise explain_failure(done.stderr)
    return done.stdout


def _compile_command(request: LockRequest, indexes: IndexSettings) -> Sequence[str]:
    try:
        binary = uv.find_uv_bin()
    except FileNotFoundError as error:
        raise _uv_missing() from error
    return (
        *(binary, "pip", "compile", "requirements.in", "--constraints", "constraints.txt"),
        *("--format", "pylock.toml", "--only-binary", ":all:", "--no-header", "--no-annotate", "--quiet"),
        *("--no-python-downloads", "--no-progress", "--color", "never"),
        *("--python-platform", find_platform(request.platform).uv_name, "--python-version", request.python),
        *indexes.flags,
    )


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _uv_missing() -> LockError:
    return LockError("uv-missing", "the uv program cannot be run", "Install the Python package uv beside Dockyard.")
