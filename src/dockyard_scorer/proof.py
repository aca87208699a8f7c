"""The proof: one request and the answer that the model gave to it when its image was built.

Owns the file `proof.json` and the comparison of two answers. Standard library only, because the deployer's smoke test
imports it too. Differences are told as a path into the answer, never with its values.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

SCHEMA = 1
SIGNIFICANT_DIGITS = 6
RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-8


class ProofError(ValueError):
    """The proof file cannot be read or is not a proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A request to `/invocations` and the JSON answer expected for it."""

    content_type: str
    body: str
    answer: JsonValue
    deterministic: bool = True
    """False when the model answered the same request differently: then only the answer's shape is compared."""


def read_proof(path: Path) -> Proof:
    """The proof in the file `path`. Raises ProofError (which quotes nothing of the file) and FileNotFoundError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProofError(f"{path.name} is not JSON") from error
    return parse_proof(document, path.name)


def dump_proof(proof: Proof) -> bytes:
    """The content of `proof.json`; equal proofs give equal bytes. The answer is rounded to 6 significant digits."""
    document = {
        "schema": SCHEMA,
        "request": {"content_type": proof.content_type, "body": proof.body},
        "answer": round_numbers(proof.answer),
        "deterministic": proof.deterministic,
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def round_numbers(value: JsonValue) -> JsonValue:
    """`value` with every float rounded to 6 significant digits, so that a proof hardly depends on the processor."""
    match value:
        case float() if math.isfinite(value):
            return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        case list():
            return [round_numbers(item) for item in value]
        case dict():
            return {key: round_numbers(item) for key, item in value.items()}
        case _:
            return value


def find_difference(expected: JsonValue, actual: JsonValue, *, deterministic: bool = True) -> str | None:
    """Where `actual` first differs from `expected`, as a path like `predictions[0]`; None when they agree.

    Floats agree within 1e-5 (relative) or 1e-8 (absolute); NaN agrees with NaN. With `deterministic=False` only keys,
    lengths and JSON types count. The path names keys of `expected` only; `.` is the whole answer.
    """
    return _compare(expected, actual, path="", exact=deterministic)


def _compare(expected: JsonValue, actual: JsonValue, *, path: str, exact: bool) -> str | None:
    if isinstance(expected, list) and isinstance(actual, list):
        return _compare_lists(expected, actual, path=path, exact=exact)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _compare_objects(expected, actual, path=path, exact=exact)
    agree = _values_agree(expected, actual) if exact else _json_type(expected) == _json_type(actual)
    return None if agree else path or "."


def _compare_lists(expected: list[JsonValue], actual: list[JsonValue], *, path: str, exact: bool) -> str | None:
    if len(expected) != len(actual):
        return path or "."
    differences = (
        _compare(left, right, path=f"{path}[{index}]", exact=exact)
        for index, (left, right) in enumerate(zip(expected, actual, strict=True))
    )
    return next((difference for difference in differences if difference), None)


def _compare_objects(expected: dict[str, JsonValue], actual: dict[str, JsonValue], *, path: str, exact: bool) -> str | None:
    if expected.keys() != actual.keys():
        return path or "."
    differences = (
        _compare(value, actual[key], path=f"{path}.{key}" if path else key, exact=exact) for key, value in expected.items()
    )
    return next((difference for difference in differences if difference), None)


def _values_agree(expected: JsonValue, actual: JsonValue) -> bool:
    if _json_type(expected) != _json_type(actual):
        return False
    if isinstance(expected, float) or isinstance(actual, float):
        return _numbers_agree(expected, actual)
    return expected == actual


def _numbers_agree(expected: JsonValue, actual: JsonValue) -> bool:
    if not isinstance(expected, (int, float)) or not isinstance(actual, (int, float)):
        return False
    try:
        left, right = float(expected), float(actual)
    except OverflowError:  # an integer beyond the largest float
        return False
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return math.isclose(left, right, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)


def _json_type(value: JsonValue) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case _:
            return type(value).__name__


def parse_proof(document: object, name: str) -> Proof:
    """The proof that a JSON document of that name is. Raises ProofError."""
    match document:
        case {
            "schema": 1,
            "request": {"content_type": str(content_type), "body": str(body)},
            "answer": answer,
            "deterministic": bool(deterministic),
        }:
            return Proof(content_type=content_type, body=body, answer=answer, deterministic=deterministic)
        case {"schema": int(schema)} if schema != SCHEMA:
            raise ProofError(f"{name} has schema {schema}, this scorer reads {SCHEMA}")
        case _:
            raise ProofError(f"{name} is not a proof")
