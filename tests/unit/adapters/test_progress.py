"""Claims about progress: bars at a terminal, plain lines elsewhere, and nothing on stdout."""

from __future__ import annotations

import io
import os
import pty
import re
import threading
from collections.abc import Mapping
from contextlib import suppress

import pytest

from dockyard.adapters.progress import LiveProgress, PlainProgress, open_progress
from dockyard.ports import Progress

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def capable_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rich reads of the environment is that of a terminal which can show bars, wherever the tests run."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize(
    ("stream", "environ", "kind"),
    [
        (Screen(), {"TERM": "xterm"}, LiveProgress),
        (Screen(), {"TERM": "xterm", "NO_COLOR": "1"}, PlainProgress),
        (Screen(), {"TERM": "xterm", "NO_COLOR": ""}, LiveProgress),
        (Screen(), {"TERM": "dumb"}, PlainProgress),
        (Screen(), {}, PlainProgress),
        (io.StringIO(), {"TERM": "xterm"}, PlainProgress),
    ],
)
def test_bars_only_at_a_terminal_that_can_show_them(stream: io.StringIO, environ: Mapping[str, str], kind: type) -> None:
    assert type(open_progress(stream, environ)) is kind


def work(progress: Progress) -> None:
    """Something long with something longer in it."""
    with progress.begin("build"):
        with progress.begin("download [wheels]"):
            for done in range(0, 101, 50):
                progress.advance("numpy", done, 100)
        progress.note("the base is cached")
        progress.advance("push", 1, None)
    progress.note("done [x]")


def test_plain_progress_is_a_line_for_each_beginning_and_note() -> None:
    stream = io.StringIO()
    work(PlainProgress(stream))
    assert stream.getvalue() == "build\ndownload [wheels]\nthe base is cached\ndone [x]\n"


def test_live_progress_leaves_a_line_for_each_thing_that_is_done() -> None:
    stream = Screen()
    work(LiveProgress(stream))
    lines = [line.strip() for line in _ESCAPES.sub("", stream.getvalue().replace("\r", "\n")).split("\n")]
    kept = [
        line for line in lines if re.fullmatch(r"(build|download \[wheels\]) \(0\.\d s\)|the base is cached|done \[x\]", line)
    ]
    assert [line.partition(" (")[0] for line in kept] == ["download [wheels]", "the base is cached", "build", "done [x]"]


def test_a_bar_is_shown_only_where_the_end_is_known() -> None:
    stream = Screen()
    progress = LiveProgress(stream)
    with progress.begin("wait"):
        progress.advance("download", 5, 10)
    lines = _ESCAPES.sub("", stream.getvalue().replace("\r", "\n")).split("\n")
    assert any("download" in line and "━" in line and "50%" in line for line in lines)
    assert not any("wait" in line and "━" in line for line in lines)


@pytest.mark.parametrize("make", [PlainProgress, LiveProgress])
def test_what_fails_ends_its_bar_and_goes_on_up(make: type[LiveProgress]) -> None:
    stream = Screen()
    progress = make(stream)
    with pytest.raises(KeyboardInterrupt), progress.begin("build"), progress.begin("download"):
        raise KeyboardInterrupt
    progress.note("after")
    assert stream.getvalue().endswith("after\n")
    if make is LiveProgress:
        assert "build: failed" in stream.getvalue()


def test_threads_may_tell_at_once() -> None:
    progress = LiveProgress(Screen())
    with progress.begin("download"):
        threads = [threading.Thread(target=progress.advance, args=(f"wheel {n}", n, 10)) for n in range(11)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    progress.advance("late", 1, 2)


def test_the_cursor_of_a_real_terminal_is_shown_again() -> None:
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as stream:
        work(LiveProgress(stream))
    shown = b""
    with suppress(OSError):
        while chunk := os.read(leader, 65536):
            shown += chunk
    os.close(leader)
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
