"""Owns the files that say what was wished for each stack of this user."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import UnavailableError
from dockyard.domain.stack import StackKind, StackWish

_FILE = "stack.json"


class FolderBook:
    """A folder for each stack, with its wish in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> StackWish | None:
        """The wish for a stack. Raises UnavailableError `state-corrupt`."""
        file = self._folder / name / _FILE
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            read = {"kind": StackKind(said["kind"]), "values": tuple(said["values"])}
            return StackWish(**{**said, **read, "runtime": Runtime(said.get("runtime", Runtime.PROCESS))})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise UnavailableError(
                "state-corrupt", f"{file} cannot be read", hint="remove it, and say `stack up` again"
            ) from error

    def write(self, wish: StackWish) -> None:
        """Keep a wish."""
        file = self._folder / wish.name / _FILE
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(wish)), encoding="utf-8")
        partial.replace(file)

    def forget(self, name: str) -> None:
        """Remove the wish; what else is in the stack's folder stays."""
        (self._folder / name / _FILE).unlink(missing_ok=True)
