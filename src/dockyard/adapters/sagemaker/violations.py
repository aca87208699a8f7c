"""Owns Violation: a value that the service does not take, where it stands in a request, and what of it may be told."""

from __future__ import annotations

from dataclasses import dataclass

_SECRET = frozenset({"Environment"})
_LONGEST = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One value that the service does not take."""

    path: tuple[str, ...]
    """Members from the outside in, `[0]` for the first of a list."""
    message: str


def show_value(path: tuple[str, ...], value: str) -> str:
    """A value as it may be told: none of an environment variable, no control characters, not too long."""
    if _SECRET.intersection(path):
        return "its value"
    shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    return shown if shown.isprintable() and shown else ascii(shown)
