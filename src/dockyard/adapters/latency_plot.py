"""Owns the picture of a smoke test: one dot a request, with median and 95th percentile. Imports matplotlib when it draws."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

_DOT, _MEDIAN, _P95, _GREY = "#4477aa", "#228833", "#cc6677", "#666666"


def draw_latencies(latencies: Sequence[float], *, median: float, p95: float, title: str) -> bytes:
    """Draw latencies in milliseconds, in the order they were measured, and return a PNG. Equal input gives an equal picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    numbers = range(1, len(latencies) + 1)
    axes.vlines(numbers, 0, latencies, color=_DOT, linewidth=1, alpha=0.35)
    axes.plot(numbers, latencies, "o", color=_DOT, markersize=4)
    for value, color, name in ((median, _MEDIAN, "median"), (p95, _P95, "p95")):
        axes.axhline(value, color=color, linewidth=1, linestyle="--", label=f"{name}: {value:.1f} ms")
    axes.set_title(title, fontsize=10, loc="left", parse_math=False)
    axes.set_xlabel("request", color=_GREY)
    axes.set_ylabel("milliseconds", color=_GREY)
    axes.set_ylim(0, max(latencies) * 1.25 or 1)
    axes.set_xlim(0.4, len(latencies) + 0.6)
    axes.set_xticks(range(1, len(latencies) + 1, max(1, round(len(latencies) / 10))))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_GREY)
    axes.legend(frameon=False, fontsize=9, loc="upper right", ncols=2)
    picture = io.BytesIO()
    with warnings.catch_warnings():  # a name in a script that the font lacks shows boxes, which is no reason to fail
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
