"""Owns how the domain's dataclasses become JSON bytes and back: state files, the journal, the queue, history artifacts.

The bytes are UTF-8 JSON with sorted keys; enums are their values. Steps are told apart by their literal `type`. Keys that
this version does not know are ignored, so that an older Dockyard reads what a newer one wrote. Must not read or write files.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from dockyard.domain.errors import DockyardError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def encode(value: DataclassInstance) -> bytes:
    """Return a dataclass as JSON that `decode` turns into an equal one.

    A lone surrogate (half a character, as file names with undecodable bytes have) is written as `?`: JSON has no place for
    it, and a state file must be written whatever an error message holds.
    """
    text = json.dumps(dataclasses.asdict(value), ensure_ascii=False, sort_keys=True, indent=1)
    return (text + "\n").encode("utf-8", "replace")


def decode(cls: type[T], data: bytes, *, what: str = "a state file") -> T:
    """Return the dataclass that `encode` wrote; `what` names the file in the error.

    Raises DockyardError `state-corrupt`, which says where in the JSON it is wrong and never what stands there.
    """
    try:
        return cast("T", _adapters[cls].validate_json(data, strict=True))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise DockyardError(
            "state-corrupt",
            f"{what} cannot be read: {place} is not a valid {cls.__name__}",
            hint="move the file away; it holds only what Dockyard wrote itself",
        ) from None


class _Adapters(dict[type, TypeAdapter[object]]):
    """Validators by class, made when first needed: making one takes longer than using it a thousand times."""

    def __missing__(self, cls: type) -> TypeAdapter[object]:
        self[cls] = TypeAdapter(cls)
        return self[cls]


_adapters = _Adapters()
