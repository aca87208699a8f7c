"""Tests of the log: one JSON object a line, and no words of libraries once payloads come in."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from dockyard_scorer.logs import EventLog, LibraryLogHandler, capture_library_logs, take_over_logger
from dockyard_scorer.traces import describe_exception

CANARY = "canary-4711"


class Captured:
    """A log and what was written to it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler: LibraryLogHandler = capture_library_logs(EventLog(self.stream))

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def captured() -> Iterator[Captured]:
    """Library logs captured for the length of a test; everything global is put back."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook)
    handlers, level = list(root.handlers), root.level
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        yield Captured()
    root.handlers, root.level = handlers, level
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


def test_an_event_is_one_json_line_with_time_level_and_fields() -> None:
    stream = io.StringIO()
    log = EventLog(stream)
    log.info("one", number=1)
    log.warning("two")
    log.error("three", text='a "quoted"\nline')
    one, two, three = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (one["level"], one["event"], one["number"]) == ("info", "one", 1)
    assert (two["level"], three["level"], three["text"]) == ("warning", "error", 'a "quoted"\nline')
    assert one["time"].endswith("Z")


def test_lines_of_many_threads_do_not_mix() -> None:
    stream = io.StringIO()
    log = EventLog(stream)

    def write() -> None:
        for _ in range(50):
            log.info("x", text="y" * 500)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 200


def test_library_words_are_kept_while_the_model_loads(captured: Captured) -> None:
    logging.getLogger("some.library").warning("version %s is old", "1.0")
    [event] = captured.events()
    assert (event["event"], event["logger"], event["message"]) == ("library-log", "some.library", "version 1.0 is old")


def test_words_of_warnings_are_kept_while_the_model_loads(captured: Captured) -> None:
    warnings.warn("made with an older version", UserWarning, stacklevel=1)
    assert captured.events()[0]["message"] == "made with an older version"


def test_library_words_are_dropped_once_payloads_come_in(captured: Captured) -> None:
    captured.handler.words_are_safe = False
    logging.getLogger("some.library").error("bad input %s", CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("some.library").exception(CANARY)
    warnings.warn(CANARY, UserWarning, stacklevel=1)
    first, second, third = captured.events()
    assert (first["level"], first["logger"]) == ("error", "some.library")
    assert first["where"].startswith("test_logs.py:")
    assert second["exception"].startswith("ValueError at test_logs.py:")
    assert (third["event"], third["category"]) == ("library-warning", "UserWarning")
    assert third["where"].startswith("test_logs.py:")
    assert CANARY not in captured.stream.getvalue()


def test_uncaught_exceptions_are_events_without_words(captured: Captured) -> None:
    def fail() -> None:
        raise KeyError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError(CANARY), None)
    events = captured.events()
    assert [event["event"] for event in events] == ["uncaught-exception"] * 2
    assert events[0]["exception"].startswith("KeyError at test_logs.py:")
    assert events[1]["exception"] == "ValueError"
    assert CANARY not in captured.stream.getvalue()


def test_handlers_that_a_library_gave_itself_are_taken_away(captured: Captured) -> None:
    own = io.StringIO()
    for name in ("taken.over", "taken"):
        logging.getLogger(name).addHandler(logging.StreamHandler(own))
        logging.getLogger(name).propagate = False
    logging.getLogger("takenaback").addHandler(logging.NullHandler())
    take_over_logger("taken")
    logging.getLogger("taken.over").warning("hello")
    assert own.getvalue() == ""
    assert [event["message"] for event in captured.events()] == ["hello"]
    assert logging.getLogger("takenaback").handlers


def test_an_exception_is_described_by_type_and_places_innermost_first() -> None:
    def inner() -> None:
        raise ValueError(CANARY)

    with pytest.raises(ValueError, match=CANARY) as raised:
        inner()
    described = describe_exception(raised.value)
    assert described.startswith("ValueError at test_logs.py:")
    assert described.index("in inner") < described.index("in test_an_exception")
    assert CANARY not in described
    assert describe_exception(KeyError("x")) == "KeyError"
