"""The log: one JSON object a line on stderr.

Owns the form of every line of this process, MLflow's and uvicorn's too. Probes are not logged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timezone


class JsonLines(logging.Formatter):
    """Time, level, logger, message; and the trace of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, tz=timezone.utc).isoformat(timespec="milliseconds")
        said = {"time": time, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return json.dumps(said)


class NoProbes(logging.Filter):
    """Leaves out the lines of requests that kubelet makes all the time."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written. uvicorn's access records have the path as their third argument."""
        arguments = record.args
        path = str(arguments[2]) if isinstance(arguments, tuple) and len(arguments) > 2 else ""
        return not path.endswith(("/health", "/ready"))


def describe_logging() -> Mapping[str, object]:
    """For `logging.config.dictConfig`, and for uvicorn."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "filters": {"no-probes": {"()": NoProbes}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "dockyard_tracking": {"level": "INFO"},
            "mlflow": {"level": "WARNING", "propagate": True},
            "uvicorn": {"level": "WARNING"},
            "uvicorn.access": {"level": "INFO", "filters": ["no-probes"]},
        },
    }
