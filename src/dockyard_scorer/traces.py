"""Describes an exception without its text.

Owns the one format in which exceptions may reach a log: type and code lines. It must not read `str(error)`, whose
words may come from a payload.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from types import TracebackType

_FRAMES_SHOWN = 4


def describe_exception(error: BaseException) -> str:
    """`ValueError at frame.py:10 in read < model.py:3 in predict`: innermost code line first, at most four."""
    name = type(error).__name__
    frames = _describe_frames(error.__traceback__)
    return f"{name} at {frames}" if frames else name


def _describe_frames(trace: TracebackType | None) -> str:
    # Lines are looked up lazily and not at all here: source text is the model's, only its place is told.
    frames = traceback.StackSummary.extract(traceback.walk_tb(trace), lookup_lines=False)
    return " < ".join(
        f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in reversed(frames[-_FRAMES_SHOWN:])
    )
