"""Finding a Python of a minor version on this machine, without installing one.

Owns the search: our own interpreter, those on PATH, those that uv knows. Must not import what they have installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from uv import find_uv_bin

from dockyard_image.errors import ImageError

_ASK = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"
_TIMEOUT_SECONDS = 20


class NoPythonError(ImageError):
    """No Python of the wanted version is on this machine (code `no-matching-python`)."""


def find_python(minor: str, environ: Mapping[str, str]) -> str:
    """The path of an interpreter of a minor version such as `3.11`; `environ` is where PATH is looked up.

    Raises NoPythonError.
    """
    answers = (_ask(candidate, minor) for candidate in _list_candidates(minor, environ))
    found = next((path for path in answers if path is not None), None)
    if found is None:
        raise NoPythonError(
            "no-matching-python",
            f"there is no Python {minor} on this machine to run the model under",
            f"install one (`uv python install {minor}`), or start a Docker engine",
        )
    return found


def _list_candidates(minor: str, environ: Mapping[str, str]) -> Iterator[str]:
    if minor == f"{sys.version_info[0]}.{sys.version_info[1]}":
        yield getattr(sys, "_base_executable", sys.executable)  # ours may be a virtual environment's
    for folder in os.get_exec_path(dict(environ)):
        if found := shutil.which(f"python{minor}", path=folder):
            yield found
    yield from _ask_uv(minor)


def _ask_uv(minor: str) -> Iterator[str]:
    command = [find_uv_bin(), "python", "find", minor, "--no-python-downloads", "--system", "--no-config"]
    yield from _run(command).splitlines()[:1]


def _ask(candidate: str, minor: str) -> str | None:
    """The interpreter's own path, if it runs and is of that version: what is on PATH may be a script that chooses one."""
    lines = _run([candidate, "-I", "-S", "-c", _ASK]).splitlines()
    return lines[1] if len(lines) == 2 and lines[0] == minor and Path(lines[1]).exists() else None


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
