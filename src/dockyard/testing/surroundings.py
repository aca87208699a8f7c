"""Owns fakes for what surrounds a command: time that passes only when somebody waits, and progress that is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone


@dataclass(kw_only=True)
class ManualClock:
    """Clock whose time passes by sleeping only; ids are counted."""

    start: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)
    elapsed: float = 0.0
    _ids: int = 0

    def now(self) -> datetime:
        """The start plus what was slept."""
        return self.start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        """Seconds slept."""
        return self.elapsed

    def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        self.elapsed += seconds

    def fresh_id(self) -> str:
        """`id-1`, `id-2`…"""
        self._ids += 1
        return f"id-{self._ids}"


@dataclass(kw_only=True)
class RecordedProgress:
    """Progress that keeps what it is told."""

    begun: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    advances: list[tuple[str, int, int | None]] = field(default_factory=list)

    @contextmanager
    def begin(self, what: str) -> Iterator[None]:
        """Remember what began."""
        self.begun.append(what)
        yield

    def advance(self, what: str, done: int, total: int | None) -> None:
        """Remember how far it is."""
        self.advances.append((what, done, total))

    def note(self, text: str) -> None:
        """Remember what was told."""
        self.notes.append(text)
