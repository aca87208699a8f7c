"""What containers print, on its way into CloudWatch Logs.

Owns the lines that nobody has asked for yet: they are brought there before a client's request for logs is answered.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from dockyard_sandbox.aws import Aws, AwsError

_KEPT_LINES = 10_000
_BATCH = 1000
_MAX_LINE = 200_000  # bytes of an event, well below the service's limit


@dataclass(frozen=True, slots=True)
class _Stream:
    region: str
    group: str
    name: str


class ContainerLogs:
    """Log streams, the last lines of each."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: dict[_Stream, deque[tuple[int, str]]] = {}
        self._known: set[_Stream] = set()

    def write(self, region: str, group: str, stream: str, line: str) -> None:
        """Append a line to a stream."""
        now = int(time.time() * 1000)
        with self._lock:
            lines = self._waiting.setdefault(_Stream(region, group, stream), deque(maxlen=_KEPT_LINES))
            lines.append((now, line[:_MAX_LINE]))

    def flush(self, _region: str = "") -> None:
        """Bring everything to CloudWatch Logs, of all regions."""
        with self._flushing:
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            for stream, lines in waiting.items():
                self._send(stream, list(lines))

    def _send(self, stream: _Stream, lines: list[tuple[int, str]]) -> None:
        if stream not in self._known:
            with suppress(AwsError):  # it is there already
                self._aws.call("logs", stream.region, "create_log_group", logGroupName=stream.group)
            with suppress(AwsError):
                self._aws.call("logs", stream.region, "create_log_stream", logGroupName=stream.group, logStreamName=stream.name)
            self._known.add(stream)
        for start in range(0, len(lines), _BATCH):
            events = [{"timestamp": at, "message": line or " "} for at, line in lines[start : start + _BATCH]]
            with suppress(AwsError):  # somebody has deleted the group: what went there is gone, too
                self._aws.call(
                    "logs",
                    stream.region,
                    "put_log_events",
                    logGroupName=stream.group,
                    logStreamName=stream.name,
                    logEvents=events,
                )
