"""Whether this server can do its work now: asked of the database again and again, by a thread of its own.

Owns the answer that readiness gives, and the moment when requests are let through for the first time. Nobody who asks for
the answer waits for the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from dockyard_tracking.database import explain_connection, open_engine
from dockyard_tracking.errors import TrackingError
from dockyard_tracking.migrate import compare_all
from dockyard_tracking.restore_mark import refuse_mark
from dockyard_tracking.schema import Comparison, list_schemas
from dockyard_tracking.settings import Settings

_LOG = logging.getLogger(__name__)
INTERVAL_SECONDS = 2.0
ANSWER_SECONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What readiness says: `ready`, or the code of what is in the way."""

    code: str
    message: str

    @property
    def is_ready(self) -> bool:
        """Whether requests should come here."""
        return self.code == "ready"


READY = Condition(code="ready", message="The database answers, and its schema is what this server needs.")
STARTING = Condition(code="starting", message="The database has not been asked yet.")
Look = Callable[[], Sequence[Comparison]]


class Watch:
    """Asks `look` every two seconds, and calls `open_up` before it says `ready` for the first time."""

    def __init__(self, look: Look, open_up: Callable[[], None], *, interval: float = INTERVAL_SECONDS) -> None:
        self._look = look
        self._open_up = open_up
        self._interval = interval
        self._is_open = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.condition = STARTING
        """The newest answer; safe to read from any thread."""

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. A question under way is not waited for."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.ask()
            except Exception as error:  # noqa: BLE001 - without this thread the server would never be ready again
                _LOG.exception("MLflow's application cannot be opened.")
                self.condition = Condition(
                    code="server-failed", message=f"MLflow's application cannot be opened: {type(error).__name__}."
                )
            self._ended.wait(self._interval)

    def ask(self) -> None:
        """One question, and what follows from its answer."""
        condition = self._judge()
        if condition.is_ready and not self._is_open:
            self._open_up()
            self._is_open = True
        if condition.code != self.condition.code:
            _LOG.log(logging.INFO if condition.is_ready else logging.WARNING, "%s: %s", condition.code, condition.message)
        self.condition = condition

    def _judge(self) -> Condition:
        try:
            comparisons = self._look()
        except TrackingError as error:
            return Condition(code=error.code, message=error.message)
        for one in comparisons:
            # A server that serves goes on while the next release migrates the database that they share.
            if one.state != "at-head" and not (one.state == "ahead" and self._is_open):
                title = one.schema.title
                return Condition(
                    code=f"schema-{one.state}", message=f"Schema {title} is at {one.found}, this server needs {one.head}."
                )
        return READY


def make_look(settings: Settings) -> Look:
    """How the database of `settings` is asked: by one connection, which is made anew when it breaks."""
    schemas = list_schemas(settings.auth)
    engine = open_engine(settings.database, answer_seconds=ANSWER_SECONDS)

    def look() -> Sequence[Comparison]:
        try:
            with engine.connect() as connection:
                refuse_mark(connection)
            return compare_all(engine, schemas)
        except DBAPIError as error:
            raise explain_connection(error, settings.database) from error

    return look
