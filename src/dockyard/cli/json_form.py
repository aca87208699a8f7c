"""Owns how domain values look in JSON: names of fields are keys, enums their values, a model's variables `***`.

The form is a contract: tests pin the keys. See docs/reference/json-output.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from dockyard.domain.deployment import LocalSettings
from dockyard.domain.phase import Phase
from dockyard.domain.plan import Outcome
from dockyard.domain.sagemaker import SageMakerSettings

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def to_json(value: object) -> Json:
    """Return a value as JSON has it."""
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: to_json(one) for name, one in _list_fields(value)} | _describe_step(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _list_fields(value: object) -> list[tuple[str, object]]:
    fields = [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]  # type: ignore[arg-type]
    if isinstance(value, LocalSettings | SageMakerSettings):
        return [(name, {key: "***" for key, _ in value.env} if name == "env" else one) for name, one in fields]
    if isinstance(value, Outcome):
        return [(name, dict(value.facts) if name == "facts" else one) for name, one in fields]
    return fields


def _describe_step(value: object) -> dict[str, Json]:
    """What a step says of itself beside its fields."""
    phase, describe = getattr(value, "phase", None), getattr(value, "describe", None)
    if isinstance(phase, Phase) and callable(describe):
        return {"phase": phase.value, "description": str(describe())}
    return {}
