"""Owns finding a Python of a minor version on this machine, without installing one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockyard.domain.errors import UnavailableError

_ASK = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"
_TIMEOUT_SECONDS = 20


class Pythons:
    """The interpreters of this machine: our own, those on PATH, those that uv knows."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is where PATH is looked up."""
        self._environ = environ
        self._found: dict[str, str] = {}

    def find(self, minor: str) -> str:
        """The path of an interpreter of a minor version such as `3.11`. Raises UnavailableError `no-matching-python`."""
        if minor not in self._found:
            answers = (_ask(candidate, minor) for candidate in self._list_candidates(minor))
            found = next((path for path in answers if path is not None), None)
            if found is None:
                raise UnavailableError(
                    "no-matching-python",
                    f"there is no Python {minor} on this machine to run the model under",
                    hint=f"install one (`uv python install {minor}`), or start a Docker engine",
                )
            self._found[minor] = found
        return self._found[minor]

    def _list_candidates(self, minor: str) -> Iterator[str]:
        if minor == f"{sys.version_info[0]}.{sys.version_info[1]}":
            yield getattr(sys, "_base_executable", sys.executable)  # ours may be a virtual environment's
        for folder in os.get_exec_path(dict(self._environ)):
            if found := shutil.which(f"python{minor}", path=folder):
                yield found
        yield from self._ask_uv(minor)

    def _ask_uv(self, minor: str) -> Iterator[str]:
        import uv

        command = [uv.find_uv_bin(), "python", "find", minor, "--no-python-downloads", "--system", "--no-config"]
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
