"""Whether a database will let a migration through, asked before any of MLflow's tables is touched.

Owns the trial, made with tables of its own that are gone afterwards, and what each refusal means. Privileges are tried, not
read: roles, managed databases and binary logs decide together, and only the server knows how.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from dockyard_tracking.database import error_number
from dockyard_tracking.errors import TrackingError

_CLEAN = ("DROP TABLE IF EXISTS dockyard_preflight_child", "DROP TABLE IF EXISTS dockyard_preflight")
_TABLES = (
    "CREATE TABLE dockyard_preflight (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE dockyard_preflight_child (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES dockyard_preflight (id))",
    "ALTER TABLE dockyard_preflight ADD COLUMN added INT",
    "CREATE INDEX dockyard_preflight_index ON dockyard_preflight (name)",
    "INSERT INTO dockyard_preflight (id, name) VALUES (1, 'one')",
    "UPDATE dockyard_preflight SET name = 'two' WHERE id = 1",
    "DELETE FROM dockyard_preflight",
)
_MYSQL_TRIGGER = ("CREATE TRIGGER dockyard_preflight BEFORE UPDATE ON dockyard_preflight FOR EACH ROW SET NEW.added = 1",)
_POSTGRESQL_TRIGGER = (
    "CREATE FUNCTION dockyard_preflight() RETURNS TRIGGER AS $$ BEGIN RETURN NEW; END; $$ LANGUAGE plpgsql",
    "CREATE TRIGGER dockyard_preflight BEFORE UPDATE ON dockyard_preflight FOR EACH ROW EXECUTE FUNCTION dockyard_preflight()",
)
_CODE_BY_NUMBER = {
    1419: "binary-log-refuses-triggers",
    1044: "privilege-missing",
    1142: "privilege-missing",
    1227: "privilege-missing",
    1370: "privilege-missing",
    1290: "database-read-only",
    1792: "database-read-only",
    1836: "database-read-only",
}
_CODE_BY_STATE = {"42501": "privilege-missing", "25006": "database-read-only"}


def run_preflight(connection: Connection) -> None:
    """Try what migrations do. Raises TrackingError, naming what was refused, with the database as it was."""
    match connection.dialect.name:
        case "mysql":
            # MySQL commits each definition at once, so what was made is dropped again, a killed trial's leftovers too.
            _try([*_CLEAN, *_TABLES, *_MYSQL_TRIGGER], connection)
            _try(_CLEAN, connection)
        case "postgresql":
            with contextlib.closing(connection.begin()):  # closed without a commit: rolled back
                _try([*_TABLES, *_POSTGRESQL_TRIGGER], connection)
        case _:
            return


def _try(statements: Sequence[str], connection: Connection) -> None:
    for statement in statements:
        try:
            connection.execute(text(statement))
        except DBAPIError as error:
            refusal = explain_refusal(error, statement)
            if connection.dialect.name == "mysql":
                _clean(connection)
            raise refusal from error


def _clean(connection: Connection) -> None:
    for statement in _CLEAN:
        with contextlib.suppress(DBAPIError):
            connection.execute(text(statement))


def explain_refusal(error: DBAPIError, statement: str) -> TrackingError:
    """What the database's refusal of `statement` means."""
    number = error_number(error)
    state = str(getattr(error.orig, "pgcode", None) or "")
    code = _CODE_BY_NUMBER.get(number) or _CODE_BY_STATE.get(state) or "migration-failed"
    verb = " ".join(statement.split()[:2])
    return TrackingError(code, f"The database refuses {verb}: {error.orig}")
