"""Owns following a log of which only the last lines can be read: what is new is told from what was there before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dockyard.ports import Clock

_PAUSE_SECONDS = 2.0
_LINES = 1000


def follow_lines(
    read: Callable[[int], Sequence[str]], tail: int, clock: Clock, find_source: Callable[[str], str] = lambda _: ""
) -> Iterator[str]:
    """Yield the last `tail` lines and then every new one, without end; `read` returns the last so many lines.

    `find_source` tells from a line who has logged it, where several do, one behind the other: each goes on by itself. What a
    source has said is remembered while it cannot be read.
    """
    lines = read(_LINES)
    yield from lines[max(len(lines) - tail, 0) :]
    seen = _divide(lines, find_source)
    while True:
        clock.sleep(_PAUSE_SECONDS)
        for source, told in _divide(read(_LINES), find_source).items():
            yield from told[_count_seen(told, seen.get(source, ())) :]
            seen[source] = told


def _divide(lines: Sequence[str], find_source: Callable[[str], str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(find_source(line), []).append(line)
    return {source: tuple(told) for source, told in found.items()}


def _count_seen(lines: tuple[str, ...], seen: tuple[str, ...]) -> int:
    """How many of the lines are the last ones of those seen before."""
    if not seen:
        return 0
    return next((end for end in range(len(lines), 0, -1) if lines[max(end - len(seen), 0) : end] == seen[-end:]), 0)
