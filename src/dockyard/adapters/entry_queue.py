"""Owns the EntryQueue port: registry entries that could not be written, one file each, kept until `sync` sends them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from dockyard.adapters.codec import decode, encode
from dockyard.adapters.files import delete_file, write_file
from dockyard.domain.attempt import Failure, RegistryEntry
from dockyard.domain.errors import DockyardError


class JsonEntryQueue:
    """Entries as JSON files in one folder, which need not exist and which only its owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_entry(self, entry: RegistryEntry) -> None:
        """Keep an entry durably, replacing one of the same attempt."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(entry.attempt.id)
        write_file(path, encode(entry))
        path.chmod(0o600)

    def list_entries(self) -> tuple[RegistryEntry, ...]:
        """All entries that can be read, oldest first. One damaged file keeps no other entry back: see `list_damaged`."""
        entries = [entry for entry in map(self._read, self._paths()) if isinstance(entry, RegistryEntry)]
        return tuple(sorted(entries, key=lambda entry: (entry.attempt.started, entry.attempt.id)))

    def list_damaged(self) -> tuple[Failure, ...]:
        """A `state-corrupt` for each file that cannot be read, naming it."""
        return tuple(failure for failure in map(self._read, self._paths()) if isinstance(failure, Failure))

    def delete_entry(self, attempt_id: str) -> None:
        """Forget an entry; one that is not there is no error."""
        delete_file(self._path(attempt_id))

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("attempt-*.json"))

    def _read(self, path: Path) -> RegistryEntry | Failure | None:
        try:
            return decode(RegistryEntry, path.read_bytes(), what=f"the waiting record `{path}`")
        except FileNotFoundError:  # somebody else has just sent it
            return None
        except OSError as error:
            return Failure(code="state-corrupt", message=f"the waiting record `{path}` cannot be read: {error.strerror}")
        except DockyardError as error:
            return Failure.of(error)

    def _path(self, attempt_id: str) -> Path:
        return self._folder / f"attempt-{quote(attempt_id, safe='')}.json"
