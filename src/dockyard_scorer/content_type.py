"""Reads the Content-Type of a request the way MLflow's server does.

Owns which media types are taken. Knows nothing of bodies.
"""

from __future__ import annotations

from collections.abc import Collection

from dockyard_scorer.errors import ScorerError

JSON = "application/json"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"


def parse_content_type(header: str, supported: Collection[str]) -> str:
    """The media type of `header`. Raises ScorerError when it, its charset or a parameter is not taken."""
    media_type, *parameters = (part.strip() for part in header.split(";"))
    if media_type not in supported:
        raise ScorerError("unsupported-media-type", f"Content-Type must be one of: {', '.join(sorted(supported))}.")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name != "charset" or value.lower() != "utf-8":
            raise ScorerError("unsupported-media-type", "Content-Type takes no parameter but charset=utf-8.")
    return media_type
