"""Owns what of the cache folder has not been used for long: packages and model files, which can be fetched again.

Whoever uses an entry sets its time; here it is only read. Must not touch what decides an image, locks and the digests of
bases: they are small, and without them the same model deployed again would be another revision.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockyard.ports import Clock, StaleCache

_DAY_SECONDS = 24 * 3600
_ENTRIES = {"packages": "wheels/*", "models": f"models/{'[0-9a-f]' * 64}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCaches:
    """The caches below a folder, which need not exist."""

    home: Path
    clock: Clock

    def list_stale(self, days: int) -> tuple[StaleCache, ...]:
        """The caches that have entries which nobody has used for so many days."""
        found = ((name, tuple(self._find(name, days))) for name in _ENTRIES)
        return tuple(
            StaleCache(name=name, entries=len(entries), size_bytes=sum(map(_measure, entries)))
            for name, entries in found
            if entries
        )

    def delete_stale(self, name: str, days: int) -> int:
        """Remove those entries of a cache; return the bytes freed."""
        return sum(_remove(entry) for entry in tuple(self._find(name, days)))

    def _find(self, name: str, days: int) -> Iterator[Path]:
        oldest = self.clock.now().timestamp() - days * _DAY_SECONDS
        for entry in sorted(self.home.glob(_ENTRIES[name])):
            try:
                is_stale = entry.stat().st_mtime < oldest
            except FileNotFoundError:  # somebody else is tidying up, too
                continue
            if is_stale:
                yield entry


def _measure(entry: Path) -> int:
    files = (entry,) if entry.is_file() else entry.rglob("*")
    return sum(file.lstat().st_size for file in files if file.is_file())


def _remove(entry: Path) -> int:
    size = _measure(entry)
    if entry.is_file():
        entry.unlink(missing_ok=True)
    else:
        shutil.rmtree(entry, ignore_errors=True)
    return size
