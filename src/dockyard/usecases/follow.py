"""Owns following a log of which only the last lines can be read: what is new is told from what was there before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dockyard.ports import Clock

_PAUSE_SECONDS = 2.0
_LINES = 1000


def follow_lines(read: Callable[[int], Sequence[str]], tail: int, clock: Clock) -> Iterator[str]:
    """Yield the last `tail` lines and then every new one, without end; `read` returns the last so many lines."""
    seen = tuple(read(_LINES))
    yield from seen[max(len(seen) - tail, 0) :]
    while True:
        clock.sleep(_PAUSE_SECONDS)
        lines = tuple(read(_LINES))
        yield from lines[_count_seen(lines, seen) :]
        seen = lines


def _count_seen(lines: tuple[str, ...], seen: tuple[str, ...]) -> int:
    """How many of the lines are the last ones of those seen before."""
    if not seen:
        return 0
    return next((end for end in range(len(lines), 0, -1) if lines[max(end - len(seen), 0) : end] == seen[-end:]), 0)
