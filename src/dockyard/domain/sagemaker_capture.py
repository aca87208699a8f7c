"""Owns DataCapture: requests and answers that are copied to S3."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCapture:
    """Requests and answers copied to S3."""

    destination: str
    """S3 URI."""
    percent: int = 100
    captures_input: bool = True
    captures_output: bool = True
