"""One migration at a time: a lock in the database itself, which it frees when the holder's connection ends.

Owns the lock's name and the wait for it. A killed migration leaves no lock behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Engine, text

from dockyard_tracking.errors import TrackingError

Clock = Callable[[], float]
_POLL_SECONDS = 0.5


@contextlib.contextmanager
def hold_lock(engine: Engine, *, seconds: float, clock: Clock = time.monotonic) -> Iterator[None]:
    """Hold the database's lock. Raises TrackingError `lock-timeout` when somebody else holds it for longer than `seconds`."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        take = _TAKERS[engine.dialect.name]
        deadline = clock() + seconds
        while not take(connection, name_lock(str(engine.url.database))):
            if clock() >= deadline:
                raise TrackingError("lock-timeout", f"Another migration of {engine.url.database} has run for {seconds:.0f} s.")
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            connection.detach()  # closed, not given back to the pool: that frees the lock


def name_lock(database: str) -> str:
    """A name of at most 64 characters, which MySQL's locks of all databases of a server share."""
    return f"dockyard-tracking:{hashlib.sha256(database.encode()).hexdigest()[:40]}"


def _take_mysql(connection: Connection, name: str) -> bool:
    return bool(connection.scalar(text("SELECT GET_LOCK(:name, 0)"), {"name": name}))


def _take_postgresql(connection: Connection, name: str) -> bool:
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": name}))


def _take_sqlite(_connection: Connection, _name: str) -> bool:
    return True  # SQLite itself lets one writer in, and its migrations are whole transactions


_TAKERS: dict[str, Callable[[Connection, str], bool]] = {
    "mysql": _take_mysql,
    "postgresql": _take_postgresql,
    "sqlite": _take_sqlite,
}
