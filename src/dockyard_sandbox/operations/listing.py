"""Lists in pages: filters by name and time, orders, and the token of the next page.

Owns what all List operations have in common. Must not know what it lists.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dockyard_sandbox.errors import refuse
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.world import Record

DEFAULT_SIZE = 10
_MARK = "dockyard-sandbox:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Something to list. `summary` is its element of the answer."""

    name: str
    created: float
    modified: float
    status: str
    summary: Mapping[str, object]


def list_page(items: Iterable[Listed], request: Fields, member: str) -> dict[str, object]:
    """The page that a request asks for, under the name of the output's list. Raises ApiError for a token that is none."""
    fitting = sorted((item for item in items if _fits(item, request)), key=_order(request))
    if request.text("SortOrder", "Descending") == "Descending":
        fitting.reverse()
    return cut_page([item.summary for item in fitting], request, member)


def list_records(records: Iterable[Record], noun: str, request: Fields) -> dict[str, object]:
    """The page of records of which a list tells name, ARN and age; `noun` begins their members, its plural is the list's."""
    items = (
        Listed(
            name=record.name,
            created=record.created,
            modified=record.modified,
            status="",
            summary={f"{noun}Name": record.name, f"{noun}Arn": record.arn, "CreationTime": record.created},
        )
        for record in records
    )
    return list_page(items, request, f"{noun}s")


def cut_page(
    summaries: list[Mapping[str, object]], request: Fields, member: str, *, size: int = DEFAULT_SIZE
) -> dict[str, object]:
    """The part of a whole list that a request asks for."""
    start = _read_token(request.text("NextToken"))
    end = start + request.whole("MaxResults", size)
    page: dict[str, object] = {member: summaries[start:end]}
    if end < len(summaries):
        page["NextToken"] = base64.urlsafe_b64encode(f"{_MARK}{end}".encode()).decode()
    return page


def _fits(item: Listed, request: Fields) -> bool:
    if request.text("NameContains").lower() not in item.name.lower():
        return False
    if request.text("StatusEquals", item.status) != item.status:
        return False
    return _is_between(item.created, request, "CreationTime") and _is_between(item.modified, request, "LastModifiedTime")


def _is_between(moment: float, request: Fields, what: str) -> bool:
    after, before = _read_time(request, f"{what}After"), _read_time(request, f"{what}Before")
    return (after is None or moment > after) and (before is None or moment < before)


def _read_time(request: Fields, name: str) -> float | None:
    value = request.get(name)
    if value is None or isinstance(value, (int, float)):
        return value
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError as error:
        raise refuse(f"{name} is not a time.") from error


def _order(request: Fields) -> Callable[[Listed], tuple[object, ...]]:
    by = request.text("SortBy", "CreationTime")
    if by == "Name":
        return lambda item: (item.name,)
    if by == "Status":
        return lambda item: (item.status, item.created)
    if by == "LastModifiedTime":
        return lambda item: (item.modified,)
    return lambda item: (item.created,)


def _read_token(token: str) -> int:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
        if not text.startswith(_MARK):
            raise ValueError(text)
        return int(text.removeprefix(_MARK))
    except (ValueError, binascii.Error) as error:
        raise refuse("The pagination token is not valid.") from error
