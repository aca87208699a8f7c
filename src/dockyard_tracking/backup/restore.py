"""The command `restore`: a backup into an empty stack, proved row by row and artifact by artifact.

Owns the order: prove the backup, refuse what is not empty, mark, make the tables at the backup's revision, fill them, copy the
artifacts, compare, migrate to this MLflow's head, remove the mark. One that is killed is begun again from the start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from dockyard_tracking.backup.manifest import Artifact, Manifest, TableFile, hash_file, name_object
from dockyard_tracking.backup.rows import decode_row, sum_table
from dockyard_tracking.backup.stores import Store, open_store
from dockyard_tracking.backup.take import describe_backup
from dockyard_tracking.backup.vault import Vault, open_vault
from dockyard_tracking.backup.verify import verify_tables
from dockyard_tracking.database import open_engine
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.lock import hold_lock
from dockyard_tracking.migrate import migrate_schemas, reach_database
from dockyard_tracking.preflight import run_preflight
from dockyard_tracking.restore_mark import drop_tables, has_mark, refuse_content, remove_mark, set_mark
from dockyard_tracking.schema import Comparison, list_schemas, open_scripts
from dockyard_tracking.settings import Settings
from dockyard_tracking.upgrade import upgrade_schema

_LOG = logging.getLogger(__name__)
_BATCH_ROWS, _BATCH_BYTES = 500, 4 << 20
Told = Callable[[str], None]


def restore_backup(settings: Settings, wanted: str, told: Told = _LOG.info) -> Mapping[str, object]:
    """Restore the backup of that name, or the newest. Returns what is told of it. `told` hears of each stage."""
    keeper, engine = open_engine(settings.database), open_engine(settings.database, connections=3)
    artifacts = open_store(settings.artifacts)
    try:
        with open_vault(settings.backup) as vault:
            manifest = vault.choose(wanted)
            told(f"Backup {manifest.backup}: reading it.")
            _prove(vault, manifest, settings)
            reach_database(keeper, settings)
            with hold_lock(keeper, seconds=settings.lock_seconds):
                left_out = _restore(vault, manifest, _Target(engine=engine, artifacts=artifacts, settings=settings), told)
    except DBAPIError as error:
        raise TrackingError("restore-failed", f"The database refuses: {error.orig}") from error
    finally:
        engine.dispose()
        keeper.dispose()
    return describe_backup(manifest) | {"left_out_tables": left_out}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What is restored into."""

    engine: Engine
    artifacts: Store
    settings: Settings


def _prove(vault: Vault, manifest: Manifest, settings: Settings) -> None:
    if manifest.dialect != settings.database.dialect:
        raise TrackingError("bad-setting", f"The backup is of {manifest.dialect}: restore it into {manifest.dialect}.")
    for schema in list_schemas("basic"):
        revision = manifest.revisions.get(schema.title)
        if revision and revision not in {one.revision for one in open_scripts(schema).walk_revisions()}:
            raise TrackingError("schema-ahead", f"The backup's schema {schema.title} is at {revision}, of a newer MLflow.")
    verify_tables(vault, manifest)
    objects = vault.list_names("objects/")
    with vault.open_artifacts(manifest) as artifacts:
        for one in artifacts:
            if name_object(one.sha256) not in objects:
                raise TrackingError("backup-damaged", f"The content of {one.key} is missing.")


def _restore(vault: Vault, manifest: Manifest, target: _Target, told: Told) -> Sequence[str]:
    with target.engine.connect() as connection:
        is_begun = has_mark(connection)
        if not is_begun:
            refuse_content(connection)
    if not is_begun:
        if next(iter(target.artifacts.list_entries()), None) is not None:
            raise TrackingError("stack-not-empty", f"There are artifacts in {target.settings.artifacts}.")
        with target.engine.connect() as connection:  # not in the transaction that looking has begun
            run_preflight(connection)
    set_mark(target.engine)
    told("Making tables.")
    drop_tables(target.engine)
    _make_tables(target.engine, manifest)
    told("Writing rows.")
    left_out = _fill_tables(vault, manifest, target.engine)
    told("Copying artifacts.")
    with vault.open_artifacts(manifest) as artifacts:
        _copy_artifacts(vault, artifacts, target.artifacts)
    told("Comparing what is there with the backup.")
    _compare_tables(target.engine, [one for one in manifest.tables if one.name not in left_out])
    with vault.open_artifacts(manifest) as artifacts:
        _compare_artifacts(vault, artifacts, target.artifacts)
    migrate_schemas(target.engine, list_schemas(target.settings.auth))
    remove_mark(target.engine)
    return left_out


def _make_tables(engine: Engine, manifest: Manifest) -> None:
    for schema in list_schemas("basic"):
        revision = manifest.revisions.get(schema.title)
        if revision:
            upgrade_schema(engine, Comparison(schema=schema, found=None, head=revision, state="missing"), _LOG.debug)


def _fill_tables(vault: Vault, manifest: Manifest, engine: Engine) -> Sequence[str]:
    """Replace what the migrations have put into the tables. Returns the tables that are not MLflow's, which are left out."""
    files = {one.name: one for one in manifest.tables}
    with engine.connect() as connection:
        _prepare_session(connection)
        order = [name for name, _ in inspect(connection).get_sorted_table_and_fkc_names() if name in files]
        quote = connection.dialect.identifier_preparer.quote_identifier
        for table in reversed(order):
            connection.exec_driver_sql(f"DELETE FROM {quote(str(table))}")  # noqa: S608 - a name of the database's own
        for table in map(str, order):
            with vault.open_rows(manifest, table, files[table].sha256) as lines:
                _insert_rows(connection, files[table], lines)
        connection.commit()
        connection.invalidate()
    left_out = sorted(set(files) - set(map(str, order)))
    for table in left_out:
        _LOG.warning("Table %s is left out: it is not MLflow's.", table)
    return left_out


def _prepare_session(connection: Connection) -> None:
    match connection.dialect.name:
        case "mysql":
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
            connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
            # MLflow's first experiment has the id 0, for which MySQL would make a new one.
            connection.exec_driver_sql("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
        case "postgresql":
            connection.exec_driver_sql("SET TIME ZONE 'UTC'")


def _insert_rows(connection: Connection, table: TableFile, lines: Iterator[bytes]) -> None:
    quote = connection.dialect.identifier_preparer.quote_identifier
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names, marks = ", ".join(map(quote, table.columns)), ", ".join([mark] * len(table.columns))
    statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608 - quoted names
    for batch in _make_batches(lines):
        connection.exec_driver_sql(statement, batch)
    if connection.dialect.name == "postgresql":
        _advance_sequences(connection, table)


def _make_batches(lines: Iterator[bytes]) -> Iterator[list[tuple[object, ...]]]:
    batch: list[tuple[object, ...]] = []
    size = 0
    for line in lines:
        batch.append(decode_row(line))
        size += len(line)
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _advance_sequences(connection: Connection, table: TableFile) -> None:
    """Let PostgreSQL's next numbers come after those that were written."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    for column in inspect(connection).get_pk_constraint(table.name)["constrained_columns"]:
        sequence = connection.exec_driver_sql("SELECT pg_get_serial_sequence(%s, %s)", (quote(table.name), column)).scalar()
        if sequence:
            newest = f"SELECT max({quote(column)}) FROM {quote(table.name)}"  # noqa: S608 - quoted names
            connection.exec_driver_sql(f"SELECT setval(%s, ({newest}))", (sequence,))


def _compare_tables(engine: Engine, tables: Sequence[TableFile]) -> None:
    with engine.connect() as connection:
        _prepare_session(connection)
        for table in tables:
            found = sum_table(connection, table.name, table.columns)
            if (found.rows, found.digest) != (table.rows, table.digest):
                raise TrackingError("restore-failed", f"Table {table.name} has {found.rows} rows, or others than the backup.")
        connection.invalidate()


def _copy_artifacts(vault: Vault, artifacts: Iterator[Artifact], target: Store) -> None:
    file = vault.scratch / "content"
    for one in artifacts:
        vault.fetch(name_object(one.sha256), file, one.sha256)
        target.write_file(one.key, file)


def _compare_artifacts(vault: Vault, artifacts: Iterator[Artifact], target: Store) -> None:
    file = vault.scratch / "arrived"
    for one in artifacts:
        target.read_file(one.key, file)
        if hash_file(file) != one.sha256:
            raise TrackingError("restore-failed", f"Artifact {one.key} has not arrived as it was.")
