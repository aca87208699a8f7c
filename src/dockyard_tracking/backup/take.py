"""The command `backup`: one consistent view of the database, then the artifacts that it may speak of, then the manifest.

Owns the order. Artifacts come after the rows, so every artifact that a row names is there. What is killed leaves no manifest,
so it is no backup; what it has copied is used by the next one.
"""

from __future__ import annotations

import gzip
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from dockyard_tracking.backup.manifest import (
    ARTIFACTS,
    ID_FORM,
    MANIFEST,
    Artifact,
    Manifest,
    TableFile,
    hash_file,
    name_file,
    name_object,
    name_table,
    render_artifact,
    render_manifest,
)
from dockyard_tracking.backup.retention import prune_backups
from dockyard_tracking.backup.rows import TableSum, read_rows
from dockyard_tracking.backup.stores import Entry, Store, open_store
from dockyard_tracking.backup.vault import Vault, open_vault
from dockyard_tracking.database import explain_connection, open_engine
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.lock import hold_lock
from dockyard_tracking.migrate import reach_database
from dockyard_tracking.schema import compare_schema, list_schemas
from dockyard_tracking.settings import Settings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copied:
    count: int
    bytes: int
    added: int
    sha256: str


def take_backup(settings: Settings, now: datetime) -> Mapping[str, object]:
    """Take a backup and remove those that are no longer wanted. Returns what is told of it. Raises TrackingError."""
    _refuse_overlap(settings)
    backup = f"{now.strftime(ID_FORM)}-{secrets.token_hex(2)}"
    with open_vault(settings.backup) as vault:
        with open_snapshot(settings) as connection:
            revisions = find_revisions(connection)
            tables = [_keep_table(vault, backup, connection, table) for table in list_tables(connection)]
        copied = _keep_artifacts(vault, backup, open_store(settings.artifacts))
        manifest = Manifest(
            backup=backup,
            made_at=now.isoformat(),
            dialect=settings.database.dialect,
            mlflow=version("mlflow"),
            revisions=revisions,
            tables=tables,
            artifacts=copied.count,
            bytes=copied.bytes,
            artifacts_sha256=copied.sha256,
        )
        file = vault.scratch / "manifest"
        file.write_text(render_manifest(manifest), encoding="utf-8")
        vault.put(name_file(backup, MANIFEST), file)
        removed = prune_backups(vault, settings.backup, now)
    return describe_backup(manifest) | {"added_artifacts": copied.added, "removed_backups": list(removed)}


def describe_backup(manifest: Manifest) -> dict[str, object]:
    """What is told of a backup."""
    return {
        "backup": manifest.backup,
        "made_at": manifest.made_at,
        "mlflow": manifest.mlflow,
        "revisions": dict(manifest.revisions),
        "tables": len(manifest.tables),
        "rows": sum(one.rows for one in manifest.tables),
        "artifacts": manifest.artifacts,
        "bytes": manifest.bytes,
    }


def _refuse_overlap(settings: Settings) -> None:
    place, artifacts = (f"{one.rstrip('/')}/" for one in (settings.backup.place, settings.artifacts))
    if not settings.artifacts or place.startswith(artifacts) or artifacts.startswith(place):
        raise TrackingError(
            "bad-setting", "DOCKYARD_TRACKING_ARTIFACTS must be set, and lie beside DOCKYARD_TRACKING_BACKUP_PLACE, not within."
        )


@contextmanager
def open_snapshot(settings: Settings) -> Iterator[Connection]:
    """One view of the database for all that is read, while others write. Migrations wait until it is closed."""
    keeper, engine = open_engine(settings.database), open_engine(settings.database)
    try:
        reach_database(keeper, settings)
        with hold_lock(keeper, seconds=settings.lock_seconds), engine.connect() as connection:
            match settings.database.dialect:
                case "mysql":
                    connection.execution_options(isolation_level="REPEATABLE READ")
                    connection.exec_driver_sql("SET time_zone = '+00:00'")
                    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                case "postgresql":
                    connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                    connection.exec_driver_sql("SET TIME ZONE 'UTC'")
                case "sqlite":
                    connection.exec_driver_sql("BEGIN")  # Python's driver begins none for reading
            yield connection
    except DBAPIError as error:
        raise explain_connection(error, settings.database) from error
    finally:
        engine.dispose()
        keeper.dispose()


def find_revisions(connection: Connection) -> Mapping[str, str]:
    """Where the database's schemas are. Raises TrackingError where this MLflow could not make them again."""
    found = {}
    for one in (compare_schema(connection, schema) for schema in list_schemas("basic")):
        if one.state == "ahead":
            raise TrackingError(
                "schema-ahead", f"Schema {one.schema.title} is at {one.found}, which this MLflow does not know."
            )
        if one.found is not None:
            found[one.schema.title] = one.found
    if "tracking" not in found:
        raise TrackingError("nothing-to-back-up", "The database has no schema of MLflow's.")
    return found


def list_tables(connection: Connection) -> Sequence[str]:
    """The tables that are MLflow's or its users', in order. Ours, such as the mark of a restore, are left out."""
    names = sorted(inspect(connection).get_table_names())
    if "dockyard_restore" in names:
        raise TrackingError("restore-unfinished", "The database is half restored, so there is nothing worth keeping.")
    return [name for name in names if not name.startswith("dockyard_")]


def _keep_table(vault: Vault, backup: str, connection: Connection, table: str) -> TableFile:
    columns = [str(one["name"]) for one in inspect(connection).get_columns(table)]
    counted = TableSum()
    file = vault.scratch / "table"
    with gzip.GzipFile(file, "wb", compresslevel=6, mtime=0) as stream:
        for line in read_rows(connection, table, columns):
            counted.add(line)
            stream.write(line + b"\n")
    vault.put(name_file(backup, name_table(table)), file)
    return TableFile(name=table, columns=columns, rows=counted.rows, digest=counted.digest, sha256=hash_file(file))


def _keep_artifacts(vault: Vault, backup: str, artifacts: Store) -> _Copied:
    """Copy the contents that are not there yet, and write down which artifact has which."""
    before = _read_newest(vault)
    kept = vault.list_names("objects/")
    there = len(kept)
    count = size = 0
    lines = vault.scratch / "artifacts"
    with gzip.GzipFile(lines, "wb", compresslevel=6, mtime=0) as stream:
        for entry in artifacts.list_entries():
            one = _find_unchanged(entry, before.get(entry.key), kept) or _copy(vault, artifacts, entry, kept)
            if one is not None:
                count, size = count + 1, size + one.size
                stream.write(render_artifact(one))
    vault.put(name_file(backup, ARTIFACTS), lines)
    return _Copied(count=count, bytes=size, added=len(kept) - there, sha256=hash_file(lines))


def _read_newest(vault: Vault) -> Mapping[str, Artifact]:
    """The artifacts of the newest backup. Where there is none that can be read, everything is looked at."""
    try:
        with vault.open_artifacts(vault.choose("")) as artifacts:
            return {one.key: one for one in artifacts}
    except TrackingError as error:
        if error.code not in {"backup-not-found", "backup-damaged"}:
            raise
        return {}


def _find_unchanged(entry: Entry, before: Artifact | None, kept: set[str]) -> Artifact | None:
    if before is None or (before.size, before.stamp) != (entry.size, entry.stamp):
        return None
    return before if name_object(before.sha256) in kept else None


def _copy(vault: Vault, artifacts: Store, entry: Entry, kept: set[str]) -> Artifact | None:
    """None for an artifact that was deleted after it was listed: no row of the database that counts names it."""
    file = vault.scratch / "artifact"
    try:
        artifacts.read_file(entry.key, file)
    except FileNotFoundError:
        _LOG.warning("Artifact %s was deleted meanwhile.", entry.key)
        return None
    sha256 = hash_file(file)
    if name_object(sha256) not in kept:
        vault.put(name_object(sha256), file)
        kept.add(name_object(sha256))
    return Artifact(key=entry.key, size=_size(file), sha256=sha256, stamp=entry.stamp)


def _size(file: Path) -> int:
    return file.stat().st_size
