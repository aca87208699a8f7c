"""Rewrites the older bare list, `[[2, 10]]`, as the body of MLflow's protocol that means the same.

Owns that mapping only; every other body is left as it is, for MLflow to read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from dockyard_scorer.errors import ScorerError

_BEGINS_LIST = re.compile(rb"\s*\[")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputForm:
    """What the model's signature says about the form of its input."""

    columns: tuple[str, ...] = ()
    """Names of the inputs, in their order; empty when there is no signature or it has no names."""
    is_array: bool = False
    """Whether the model takes arrays or plain Python values rather than a table."""


def rewrite_bare_list(body: bytes, form: InputForm) -> bytes:
    """`body` itself unless it is a JSON list; then the same rows in MLflow's protocol.

    Records go as `dataframe_records`; rows are mapped to named columns by position; for a model of arrays the list is
    the array. Raises ScorerError when the list is not JSON.
    """
    if not _BEGINS_LIST.match(body):
        return body
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, a number too long, nested too deep
        raise ScorerError("invalid-input", "The body is not valid JSON.") from error
    return json.dumps(_wrap(rows, form)).encode()


def _wrap(rows: list[object], form: InputForm) -> dict[str, object]:
    if form.is_array:
        named = len(form.columns) == 1
        return {"inputs": {form.columns[0]: rows} if named else rows}
    if rows and all(isinstance(row, dict) for row in rows):
        return {"dataframe_records": rows}
    columns = {"columns": list(form.columns)} if form.columns else {}
    return {"dataframe_split": {**columns, "data": rows}}
