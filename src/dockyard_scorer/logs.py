"""The log: one JSON object a line on stderr.

Owns the form of every line, those of libraries too. Once the scorer serves, a library's line tells logger, level and
place only: its words may quote a payload. While the model loads there is no payload, and the words are kept.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import PurePath
from types import TracebackType
from typing import TextIO

from dockyard_scorer.traces import describe_exception

LogValue = str | int | float | bool | None | Mapping[str, str]


class EventLog:
    """Writes events. One instance a process; safe to use from any thread."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._lock = threading.Lock()

    def info(self, event: str, **fields: LogValue) -> None:
        """Something went as it should."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: LogValue) -> None:
        """Somebody should look at it some day."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: LogValue) -> None:
        """Something failed."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: Mapping[str, LogValue]) -> None:
        now = datetime.fromtimestamp(time.time(), tz=timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now.replace("+00:00", "Z"), "level": level, "event": event, **fields})
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()


class LibraryLogHandler(logging.Handler):
    """Brings the log records of libraries into the event log."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(level=logging.WARNING)
        self._log = log
        self.words_are_safe = True
        """Whether a record's text may be shown. To be set to False before the first payload is read."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record` as an event; of an exception in it, type and place only."""
        fields: dict[str, LogValue] = {
            "logger": record.name,
            "where": f"{record.filename}:{record.lineno} in {record.funcName}",
        }
        if record.exc_info and record.exc_info[1]:
            fields["exception"] = describe_exception(record.exc_info[1])
        elif self.words_are_safe:
            fields["message"] = record.getMessage()
        if record.levelno >= logging.ERROR:
            self._log.error("library-log", **fields)
        else:
            self._log.warning("library-log", **fields)


def capture_library_logs(log: EventLog) -> LibraryLogHandler:
    """Make `log` the only place that library logs, warnings and uncaught exceptions of this process go to."""
    handler = LibraryLogHandler(log)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)

    def tell_warning(words: Warning | str, category: type[Warning], where: str) -> None:
        message: dict[str, LogValue] = {"message": str(words)} if handler.words_are_safe else {}
        log.warning("library-warning", category=category.__name__, where=where, **message)

    warnings.showwarning = lambda message, category, filename, lineno, file=None, line=None: tell_warning(  # noqa: ARG005
        message, category, f"{PurePath(filename).name}:{lineno}"
    )

    def tell_uncaught(
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,  # noqa: ARG001
    ) -> None:
        log.error("uncaught-exception", exception=describe_exception(error) if error else kind.__name__)

    sys.excepthook = tell_uncaught
    threading.excepthook = lambda args: tell_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: tell_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    return handler


def take_over_logger(name: str) -> None:
    """Send what the library `name` logs to the root logger, although it gave itself handlers when it was imported."""
    for logger in [logging.getLogger(known) for known in list(logging.root.manager.loggerDict)]:
        if logger.name == name or logger.name.startswith(f"{name}."):
            logger.handlers.clear()
            logger.propagate = True
