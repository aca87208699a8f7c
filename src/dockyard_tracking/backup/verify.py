"""The command `verify`: that a backup is what was written, byte by byte.

Owns that proof. Reads everything that the backup holds, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard_tracking.backup.manifest import Manifest, name_object
from dockyard_tracking.backup.rows import TableSum
from dockyard_tracking.backup.take import describe_backup
from dockyard_tracking.backup.vault import Vault, open_vault
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.settings import Settings


def verify_backup(settings: Settings, wanted: str) -> Mapping[str, object]:
    """Prove the backup of that name, or the newest. Returns what is told of it. Raises TrackingError `backup-damaged`."""
    with open_vault(settings.backup) as vault:
        manifest = vault.choose(wanted)
        verify_tables(vault, manifest)
        with vault.open_artifacts(manifest) as artifacts:
            for sha256 in sorted({one.sha256 for one in artifacts}):
                vault.fetch(name_object(sha256), vault.scratch / "content", sha256)
    return describe_backup(manifest)


def verify_tables(vault: Vault, manifest: Manifest) -> None:
    """Prove the rows of a backup. Raises TrackingError `backup-damaged`."""
    for table in manifest.tables:
        counted = TableSum()
        with vault.open_rows(manifest, table.name, table.sha256) as lines:
            for line in lines:
                counted.add(line)
        if (counted.rows, counted.digest) != (table.rows, table.digest):
            raise TrackingError("backup-damaged", f"Table {table.name} of backup {manifest.backup} is not what was written.")
