"""Owns how the configuration looks: each value with where it came from."""

from __future__ import annotations

import json

from dockyard.cli.json_form import to_json
from dockyard.cli.text import count_of, format_table
from dockyard.cli.views.view import View
from dockyard.domain.result import ConfigResult, SchemaResult, ValidationResult
from dockyard.domain.settings import Provenance


def view_config(result: ConfigResult) -> View:
    """stdout: a table, one key a line."""
    told = f"configuration file: {result.file}" if result.file else "there is no configuration file; these are the defaults"
    return View(status="done", out=format_table(("KEY", "VALUE", "FROM"), [_cells(one) for one in result.values]), err=(told,))


def view_validation(result: ValidationResult) -> View:
    """stdout: the environments."""
    told = f"{result.file or 'no configuration file'}: valid, {count_of(len(result.environments), 'environment')}"
    return View(status="done", out=result.environments, err=(told,))


def view_schema(result: SchemaResult) -> View:
    """stdout: the schema."""
    return View(status="done", out=(json.dumps(result.schema, indent=2),))


def _cells(value: Provenance) -> tuple[str | None, str | None, str]:
    shown = to_json(value.value)
    text = shown if isinstance(shown, str) else json.dumps(shown)
    return value.path, None if shown is None else text, value.origin or value.source.value
