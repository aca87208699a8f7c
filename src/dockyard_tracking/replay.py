"""Gets MLflow's migrations over what MySQL refuses though nothing is wrong.

MySQL commits each definition at once, so a migration that is killed leaves the tables and columns it has made, and MLflow's
migrations then stumble over them. Owns which refusals say "that is done already": they count only for the one revision
that may have begun, and are a mistake everywhere else. Owns also the foreign keys of MLflow's user tables, two of which
have the same name: MySQL wants names that are unique in a database, so the second gets one from MySQL.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from typing import Protocol

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script
from sqlalchemy import Connection, Engine, event, inspect, text

_LOG = logging.getLogger(__name__)
_DEFINITION = re.compile(r"\s*(?P<verb>CREATE TABLE|CREATE|ALTER TABLE \S+ CHANGE|ALTER|DROP)\b", re.IGNORECASE)
_NAMED_FOREIGN_KEY = re.compile(r"CONSTRAINT \S+ (?=FOREIGN KEY)")
_SAME_FOREIGN_KEY_NAME = 1826
_DONE_BEFORE: dict[str, frozenset[int]] = {
    # Each definition is done as a whole or not at all, so one that is there is there completely.
    "CREATE TABLE": frozenset({1050}),
    "CREATE": frozenset({1061, 1359}),  # index, trigger
    # column is there, index is there, primary key is there, column or key is gone, foreign key is there, check is gone or there
    "ALTER": frozenset({1060, 1061, 1068, 1091, _SAME_FOREIGN_KEY_NAME, 3821, 3822, 3940}),
    "CHANGE": frozenset({1054}),  # the column has its new name
    "DROP": frozenset({1051, 1091, 1360}),  # table, index, trigger
}


_DATASETS = "0584bdc529eb"
"""Looks the foreign key of `datasets` up to drop it, and fails where a kill came after that."""
_ANALYTICS = "75868b020152"
"""Reads a column of `spans` and rows that it deletes; once the column is dropped, only its indexes are missing."""


class Cursor(Protocol):
    """What a driver's cursor offers here."""

    def execute(self, statement: str, parameters: object = ..., /) -> object:
        """Run one statement."""


@contextlib.contextmanager
def mend_definitions(*, may_have_begun: bool) -> Iterator[None]:
    """Within it, every engine of this process gets over those refusals. `may_have_begun`: what is done counts as done."""

    def execute(cursor: Cursor, statement: str, parameters: object, _context: object) -> bool:
        return _execute(cursor, statement, parameters, may_have_begun=may_have_begun)

    event.listen(Engine, "do_execute", execute)
    try:
        yield
    finally:
        event.remove(Engine, "do_execute", execute)


def resume_revision(connection: Connection, script: Script) -> bool:
    """Bring back what a revision dropped before it was killed, and looks up again. Returns whether it is complete instead."""
    tables = inspect(connection).get_table_names()
    if script.revision == _DATASETS and "datasets" in tables and not inspect(connection).get_foreign_keys("datasets"):
        connection.execute(text("ALTER TABLE datasets ADD FOREIGN KEY (experiment_id) REFERENCES experiments (experiment_id)"))
    if script.revision != _ANALYTICS or "dimension_attributes" in _list_columns(connection, "spans"):
        return False
    with Operations.context(MigrationContext.configure(connection)):
        script.module._create_analytics_indexes()  # noqa: SLF001 - what is left of it, as MLflow writes it
    return True


def _list_columns(connection: Connection, table: str) -> list[str]:
    return [str(one["name"]) for one in inspect(connection).get_columns(table)]


def _execute(cursor: Cursor, statement: str, parameters: object, *, may_have_begun: bool) -> bool:
    """Whether the statement has been taken care of; otherwise SQLAlchemy runs it."""
    found = _DEFINITION.match(statement)
    if not found:
        return False
    verb = "CHANGE" if found["verb"].endswith("CHANGE") else found["verb"].upper()
    try:
        cursor.execute(statement, parameters)
    except Exception as error:
        number = error.args[0] if error.args else 0
        if verb == "CREATE TABLE" and number == _SAME_FOREIGN_KEY_NAME:
            cursor.execute(_NAMED_FOREIGN_KEY.sub("", statement), parameters)
        elif may_have_begun and number in _DONE_BEFORE[verb]:
            _LOG.warning("Done before, by a migration that was killed: %s", error)
        else:
            raise
    return True
