"""The command `migrate`: brings the database's schemas to what this MLflow needs, once, whoever else tries.

Owns the order: reach, lock, compare, preflight, upgrade, verify. Nothing is touched before all of the first four have passed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dockyard_tracking.database import explain_connection, open_engine
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.lock import hold_lock
from dockyard_tracking.preflight import run_preflight
from dockyard_tracking.restore_mark import refuse_mark
from dockyard_tracking.schema import Comparison, Schema, compare_schema, list_schemas
from dockyard_tracking.settings import Settings
from dockyard_tracking.upgrade import upgrade_schema

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.5


def migrate(settings: Settings) -> bool:
    """Migrate what `settings` name. Returns whether anything had to be done. Raises TrackingError."""
    schemas = list_schemas(settings.auth)
    keeper = open_engine(settings.database)
    engine = open_engine(settings.database, connections=2)
    try:
        reach_database(keeper, settings)
        with hold_lock(keeper, seconds=settings.lock_seconds):
            with engine.connect() as connection:
                refuse_mark(connection)
            return migrate_schemas(engine, schemas)
    finally:
        engine.dispose()
        keeper.dispose()


def reach_database(engine: Engine, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until the database answers. Raises TrackingError when it does not in time, or refuses us."""
    deadline = clock() + settings.wait_seconds
    while True:
        try:
            engine.connect().close()
        except DBAPIError as error:
            reason = explain_connection(error, settings.database)
            if reason.code != "database-unreachable" or clock() >= deadline:
                raise reason from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def migrate_schemas(engine: Engine, schemas: Sequence[Schema]) -> bool:
    """Bring `schemas` to their heads; the lock is the caller's. Returns whether anything had to be done."""
    comparisons = compare_all(engine, schemas)
    for one in comparisons:
        _LOG.info("Schema %s is at %s, head is %s: %s.", one.schema.title, one.found, one.head, one.state)
        if one.state == "ahead":
            raise TrackingError(
                "schema-ahead", f"The {one.schema.title} schema is at {one.found}, which this MLflow does not know."
            )
    waiting = [one for one in comparisons if one.state != "at-head"]
    if not waiting:
        return False
    with engine.connect() as connection:
        run_preflight(connection)
    for one in waiting:
        _upgrade(engine, one)
    left = [one for one in compare_all(engine, schemas) if one.state != "at-head"]
    if left:
        raise TrackingError(
            "migration-failed", f"The {left[0].schema.title} schema ended at {left[0].found}, not at {left[0].head}."
        )
    return True


def compare_all(engine: Engine, schemas: Sequence[Schema]) -> Sequence[Comparison]:
    """Where the database stands with each schema."""
    with engine.connect() as connection:
        return [compare_schema(connection, schema) for schema in schemas]


def _upgrade(engine: Engine, comparison: Comparison) -> None:
    title = comparison.schema.title
    last = ""

    def told(revision: str) -> None:
        nonlocal last
        last = revision
        _LOG.info("Schema %s: %s.", title, revision)

    try:
        upgrade_schema(engine, comparison, told)
    except DBAPIError as error:
        raise TrackingError("migration-failed", f"Revision {last} of the {title} schema failed: {error.orig}") from error
