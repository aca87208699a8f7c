"""A migration waits for a database that starts, and not for one that refuses it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import OperationalError

from dockyard_tracking.errors import TrackingError
from dockyard_tracking.migrate import reach_database
from dockyard_tracking.settings import Database, Settings

SETTINGS = Settings(database=Database(host="db"), wait_seconds=5)
AWAY = (2003, "Can't connect to MySQL server")
REFUSED = (1045, "Access denied")


@dataclass
class Starting:
    """A database that answers each connection as it is told, the last answer again and again; a clock goes on with each."""

    answers: list[tuple[int, str] | None]
    seconds: float = 0.0
    asked: int = field(default=0)

    def connect(self) -> Starting:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            raise OperationalError("connect", None, Exception(*answer))
        return self

    def close(self) -> None:
        pass

    def clock(self) -> float:
        self.seconds += 2
        return self.seconds


def reach(database: Starting) -> None:
    reach_database(database, SETTINGS, database.clock)  # type: ignore[arg-type]


def test_database_that_starts_is_waited_for() -> None:
    database = Starting([AWAY, AWAY, None])
    reach(database)
    assert database.asked == 3


@pytest.mark.parametrize(("answer", "code", "times"), [(AWAY, "database-unreachable", 3), (REFUSED, "login-refused", 1)])
def test_waiting_ends_with_the_cause(answer: tuple[int, str], code: str, times: int) -> None:
    database = Starting([answer])
    with pytest.raises(TrackingError) as raised:
        reach(database)
    assert (raised.value.code, database.asked) == (code, times)
