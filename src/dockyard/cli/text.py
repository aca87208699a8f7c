"""Owns how text is laid out for people: tables, sizes, times, and characters that a terminal must not get."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ("B", "kB", "MB", "GB", "TB")


def clean_text(text: str) -> str:
    """Return text without control characters: what comes from elsewhere must not move the cursor or forge lines."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape", "backslashreplace").decode() for one in text)


def format_table(head: Sequence[str], rows: Sequence[Sequence[str | None]]) -> tuple[str, ...]:
    """Return a table's lines: columns as wide as their longest cell, `-` for what there is not."""
    cells = [tuple(head), *(tuple(clean_text(cell) if cell else "-" for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return tuple("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)


def format_size(size: int) -> str:
    """Return bytes as a person reads them: `12.3 MB`, in powers of 1000."""
    amount = float(size)
    for unit in _UNITS[:-1]:
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} {_UNITS[-1]}"


def format_time(iso: str | None) -> str | None:
    """Return a moment as a person reads it: `2026-11-22 06:31:05Z`; an ISO text of another form as it is."""
    if iso is None or len(iso) < 19 or iso[10] != "T":
        return iso
    zone = "Z" if iso.endswith(("Z", "+00:00")) else iso[19:]
    return f"{iso[:10]} {iso[11:19]}{zone}"


def format_seconds(seconds: float) -> str:
    """Return a duration as a person reads it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def count_of(number: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
