"""The picture of a smoke test is a PNG of a fixed size, the same for the same numbers, whatever its title holds."""

from __future__ import annotations

import struct

import pytest

from dockyard.adapters.latency_plot import draw_latencies


def draw(latencies: list[float], title: str = "Smoke test of prod/wine, revision 3") -> bytes:
    """Draw latencies with lines that are somewhere among them."""
    return draw_latencies(latencies, median=latencies[0], p95=max(latencies), title=title)


def test_picture_is_a_small_png() -> None:
    picture = draw([18.2, 4.1, 5.3, 4.1, 6.8])
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (768, 384)
    assert len(picture) < 60_000


def test_equal_numbers_make_an_equal_picture_and_others_another() -> None:
    assert draw([1.0, 2.0]) == draw([1.0, 2.0])
    assert draw([1.0, 2.0]) != draw([1.0, 3.0])


@pytest.mark.parametrize("latencies", [[3.2], [0.0], [0.0, 0.0], [5.0] * 500, [0.001, 60_000.0]])
def test_any_number_of_requests_of_any_length_is_drawn(latencies: list[float]) -> None:
    assert draw(latencies).startswith(b"\x89PNG")


@pytest.mark.parametrize("title", ["$x_{", "葡萄酒 💥", "100 % \\ _ ^", ""])
def test_title_is_text_and_not_a_formula(title: str) -> None:
    assert draw([1.0, 2.0], title).startswith(b"\x89PNG")
