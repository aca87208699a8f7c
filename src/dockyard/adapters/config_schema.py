"""Owns the JSON Schema of `dockyard.yaml`, which editors and other tools check the file with."""

from __future__ import annotations

from collections.abc import Mapping

from dockyard.adapters.config_model import Configuration

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def make_schema() -> Mapping[str, object]:
    """Return the schema as published in docs/reference/dockyard.schema.json."""
    return {"$schema": _DIALECT, **Configuration.model_json_schema()}
