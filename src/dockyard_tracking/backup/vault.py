"""The place that backups are kept in, as whoever takes, proves, restores or removes one sees it.

Owns that files are sealed on their way in where there is a key, and opened and compared with their checksum on the way out.
"""

from __future__ import annotations

import gzip
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dockyard_tracking.backup.manifest import (
    ARTIFACTS,
    MANIFEST,
    Artifact,
    Manifest,
    hash_file,
    name_file,
    name_table,
    parse_artifacts,
    parse_manifest,
)
from dockyard_tracking.backup.sealing import read_key, seal_file, unseal_file
from dockyard_tracking.backup.stores import Store, open_store
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.settings import Backup

_LOG = logging.getLogger(__name__)


class Vault:
    """Backups and contents of artifacts. `scratch` is a folder for files on their way."""

    def __init__(self, store: Store, key: bytes | None, scratch: Path) -> None:
        self.store = store
        self.scratch = scratch
        self._key = key

    def put(self, name: str, file: Path) -> None:
        """Keep a file."""
        if self._key is None:
            self.store.write_file(name, file)
            return
        sealed = self.scratch / "sealed"
        seal_file(file, sealed, self._key)
        self.store.write_file(name, sealed)
        sealed.unlink()

    def fetch(self, name: str, file: Path, sha256: str = "") -> None:
        """Bring a file back. Raises TrackingError `backup-damaged` where it is away or not what it was."""
        fetched = self.scratch / "fetched"
        try:
            self.store.read_file(name, fetched)
        except FileNotFoundError:
            raise TrackingError("backup-damaged", f"{name} is missing.") from None
        if self._key is None:
            fetched.replace(file)
        else:
            unseal_file(fetched, file, self._key, name)
            fetched.unlink()
        if sha256 and hash_file(file) != sha256:
            raise TrackingError("backup-damaged", f"{name} is not what was written: its checksum differs.")

    def list_names(self, prefix: str) -> set[str]:
        """The names of what is kept."""
        return {one.key for one in self.store.list_entries(prefix)}

    def read_manifest(self, backup: str) -> Manifest:
        """Raises TrackingError `backup-damaged`, `backup-key-wrong`."""
        file = self.scratch / "manifest"
        self.fetch(name_file(backup, MANIFEST), file)
        return parse_manifest(file.read_text(encoding="utf-8", errors="replace"))

    def list_backups(self) -> Sequence[Manifest]:
        """Those that are complete, newest first. One whose manifest cannot be read is told of and left out."""
        names = sorted(self.list_names("backups/"), reverse=True)
        found = (self._find_manifest(name.split("/")[1]) for name in names if name.endswith(f"/{MANIFEST}"))
        return [one for one in found if one is not None]

    def _find_manifest(self, backup: str) -> Manifest | None:
        try:
            return self.read_manifest(backup)
        except TrackingError as error:
            if error.code != "backup-damaged":
                raise
            _LOG.warning("Backup %s is left out: %s", backup, error.message)
            return None

    def choose(self, wanted: str) -> Manifest:
        """The backup of that name, or the newest. Raises TrackingError `backup-not-found`."""
        for one in self.list_backups():
            if wanted in {"", one.backup}:
                return one
        raise TrackingError("backup-not-found", f"There is no complete backup{f' {wanted}' if wanted else ''}.")

    @contextmanager
    def open_artifacts(self, manifest: Manifest) -> Iterator[Iterator[Artifact]]:
        """The artifacts of a backup."""
        with self.open_lines(name_file(manifest.backup, ARTIFACTS), manifest.artifacts_sha256) as lines:
            yield parse_artifacts(lines)

    @contextmanager
    def open_rows(self, manifest: Manifest, table: str, sha256: str) -> Iterator[Iterator[bytes]]:
        """The rows of a table, as lines without their ends."""
        with self.open_lines(name_file(manifest.backup, name_table(table)), sha256) as lines:
            yield (line.rstrip(b"\n") for line in lines)

    @contextmanager
    def open_lines(self, name: str, sha256: str) -> Iterator[Iterator[bytes]]:
        """The lines of a compressed file that is kept, once its checksum is right."""
        with tempfile.NamedTemporaryFile(dir=self.scratch) as temporary:
            file = Path(temporary.name)
            self.fetch(name, file, sha256)
            with gzip.open(file, "rb") as stream:
                yield iter(stream)


@contextmanager
def open_vault(backup: Backup) -> Iterator[Vault]:
    """The place that the settings name. Raises TrackingError `bad-setting`."""
    if not backup.place:
        raise TrackingError("bad-setting", "DOCKYARD_TRACKING_BACKUP_PLACE is not set.")
    key = read_key(backup.key_file) if backup.key_file else None
    with tempfile.TemporaryDirectory(prefix="dockyard-backup-") as scratch:
        yield Vault(open_store(backup.place, backup.kms_key), key, Path(scratch))
