"""Owns View: what one result is to its reader, before it is printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Lines for stdout (the result itself) and for stderr (about it), and how the command ended."""

    status: str
    out: tuple[str, ...] = ()
    err: tuple[str, ...] = ()
    exit_code: int = 0


def note_lines(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Notes as lines."""
    return tuple(f"note: {note}" for note in notes)
