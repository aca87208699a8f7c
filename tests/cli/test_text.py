"""Claims about the layout of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard.cli.text import clean_text, count_of, format_seconds, format_size, format_table, format_time


@given(text=st.text())
def test_clean_text_holds_no_control_characters(text: str) -> None:
    assert all(one.isprintable() for one in clean_text(text))


def test_a_hostile_name_cannot_forge_a_line_or_move_the_cursor() -> None:
    assert format_table(("A",), [("x\n\x1b[2Jy",)]) == ("A", "x\\n\\x1b[2Jy")


def test_columns_are_as_wide_as_their_longest_cell_and_lines_end_without_blanks() -> None:
    assert format_table(("A", "BB"), [("aaa", None), ("", "b")]) == ("A    BB", "aaa  -", "-    b")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (3 * 10**15, "3000.0 TB")]
)
def test_sizes_are_in_powers_of_1000(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("iso", "text"),
    [
        ("2026-11-22T06:31:05.5+00:00", "2026-11-22 06:31:05Z"),
        ("2026-11-22T06:31:05Z", "2026-11-22 06:31:05Z"),
        ("2026-11-22T06:31:05+02:00", "2026-11-22 06:31:05+02:00"),
        ("yesterday", "yesterday"),
        (None, None),
    ],
)
def test_moments_are_shown_to_the_second(iso: str | None, text: str | None) -> None:
    assert format_time(iso) == text


def test_durations_and_counts() -> None:
    assert (format_seconds(0.0124), format_seconds(1.25)) == ("12 ms", "1.2 s")
    assert (count_of(1, "step"), count_of(2, "step")) == ("1 step", "2 steps")
