"""The mark that a restore leaves in a database while it is at work, and whether a database is empty.

Owns both. While the mark is there, servers are not ready and migrations refuse, so nobody takes a half restored database for
a whole one; the next restore begins anew.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect

from dockyard_tracking.errors import TrackingError

TABLE = "dockyard_restore"
_FRESH = {"experiments": ("name", {"Default"}), "workspaces": ("name", {"default"}), "users": ("username", {"admin"})}
"""What a server that nobody has used holds beside versions: for these tables, the only values of a column."""


def has_mark(connection: Connection) -> bool:
    """Whether a restore is at work or was killed."""
    return inspect(connection).has_table(TABLE)


def refuse_mark(connection: Connection) -> None:
    """Raises TrackingError `restore-unfinished`."""
    if has_mark(connection):
        raise TrackingError("restore-unfinished", "A restore into this database has not ended.")


def set_mark(engine: Engine) -> None:
    """Leave the mark; one that is there already stays."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {TABLE} (id INT PRIMARY KEY)")


def remove_mark(engine: Engine) -> None:
    """The restore is done."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {TABLE}")


def refuse_content(connection: Connection) -> None:
    """Raises TrackingError `stack-not-empty` for a database that anybody has used."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    for table in inspect(connection).get_table_names():
        if table.startswith("alembic_version"):
            continue
        column, allowed = _FRESH.get(table, ("*", set()))
        selected = "1" if column == "*" else quote(column)
        statement = f"SELECT {selected} FROM {quote(table)} LIMIT {len(allowed) + 1}"  # noqa: S608 - names of its own
        rows = [str(row[0]) for row in connection.exec_driver_sql(statement)]
        if len(rows) > len(allowed) or not allowed.issuperset(rows):
            raise TrackingError("stack-not-empty", f"Table {table} has rows that are not a fresh server's.")


def drop_tables(engine: Engine) -> None:
    """Remove every table but the mark."""
    quote = engine.dialect.identifier_preparer.quote_identifier
    with engine.connect() as connection:
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
        for table in inspect(connection).get_table_names():
            if table != TABLE:
                connection.exec_driver_sql(f"DROP TABLE {quote(table)}{cascade}")
        connection.commit()
        connection.invalidate()  # its session has other rules than the next one may expect
