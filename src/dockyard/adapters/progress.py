"""Owns the Progress port on stderr: bars at a terminal, one plain line for each thing elsewhere. Never writes to stdout."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from dockyard.ports import Progress


def open_progress(stream: TextIO, environ: Mapping[str, str]) -> Progress:
    """Return bars where the stream is a terminal that can move its cursor and NO_COLOR is not set; plain lines otherwise."""
    is_plain = not stream.isatty() or bool(environ.get("NO_COLOR")) or environ.get("TERM", "dumb") == "dumb"
    return PlainProgress(stream) if is_plain else LiveProgress(stream)


class PlainProgress:
    """A line when something begins, and each note as a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @contextmanager
    def begin(self, what: str) -> Iterator[None]:
        """Tell that something begins."""
        self.note(what)
        yield

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Say nothing: a log does not need every step."""

    def note(self, text: str) -> None:
        """Write a line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()


class LiveProgress:
    """A bar for each thing under way; what is done stays as a line with how long it took."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._live: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._depth = 0

    @contextmanager
    def begin(self, what: str) -> Iterator[None]:
        """Show a bar until the context ends."""
        began = time.monotonic()
        self._open(what)
        try:
            yield
        except BaseException:
            self._close(what, f"{what}: failed")
            raise
        self._close(what, f"{what} ({time.monotonic() - began:.1f} s)")

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Move a bar; one that nobody began is shown while something else is under way."""
        with self._lock:
            if self._live is None:
                return
            if what not in self._tasks:
                self._tasks[what] = self._live.add_task(_escape(what), total=total)
            self._live.update(self._tasks[what], completed=done, total=total)
            if total is not None and done >= total and self._depth:
                self._live.update(self._tasks[what], visible=False)

    def note(self, text: str) -> None:
        """Write a line above the bars."""
        with self._lock:
            if self._live is None:
                self._stream.write(f"{text}\n")
                self._stream.flush()
            else:
                self._live.console.print(text, markup=False, highlight=False)

    def _open(self, what: str) -> None:
        with self._lock:
            if self._live is None:
                self._live = _make_live(self._stream)
                self._live.start()
            self._depth += 1
            self._tasks[what] = self._live.add_task(_escape(what), total=None)

    def _close(self, what: str, told: str) -> None:
        with self._lock:
            live = self._live
            if live is None:
                return
            task = self._tasks.pop(what, None)
            if task is not None:
                live.remove_task(task)
            live.console.print(told, markup=False, highlight=False)
            self._depth -= 1
            if not self._depth:
                live.stop()
                self._live = None
                self._tasks.clear()


def _make_live(stream: TextIO) -> RichProgress:
    from rich.console import Console, RenderableType
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskProgressColumn, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    class KnownBar(ProgressColumn):
        """A bar where the end is known; elsewhere the spinner says enough."""

        bar = BarColumn(bar_width=20)

        def render(self, task: Task) -> RenderableType:
            return self.bar.render(task) if task.total is not None else ""

    columns = (SpinnerColumn(), TextColumn("{task.description}"), KnownBar(), TaskProgressColumn(), Elapsed())
    return Progress(*columns, console=Console(file=stream), transient=True)


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
