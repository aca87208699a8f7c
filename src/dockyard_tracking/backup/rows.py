"""Rows of a table as lines of text, and the sum by which two tables are known to be equal.

Owns both. Values are those of the driver, not of SQLAlchemy's types: what was read is what is written, bit by bit.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

_MODULUS = 1 << 256


@dataclass(slots=True, kw_only=True)
class TableSum:
    """How many rows, and the sum of their SHA-256, which does not depend on their order."""

    rows: int = 0
    total: int = 0

    def add(self, line: bytes) -> None:
        """Count one row."""
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(line).digest(), "big")) % _MODULUS

    @property
    def digest(self) -> str:
        """The sum as text."""
        return f"{self.total:064x}"


def encode_row(row: Sequence[object]) -> bytes:
    """One line, without its end."""
    return json.dumps([_encode(value) for value in row], separators=(",", ":"), sort_keys=True).encode()


def decode_row(line: bytes) -> tuple[object, ...]:
    """What the driver takes for a row."""
    return tuple(_decode(value) for value in json.loads(line))


def _encode(value: object) -> object:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray() | memoryview():
            return {"bytes": base64.b64encode(bytes(value)).decode()}
        case datetime():
            return {"time": value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
        case dict() | list():  # PostgreSQL's driver reads JSON
            return {"json": value}
        case _:
            raise TypeError(f"no way to keep a {type(value).__name__}")


def _decode(value: object) -> object:
    match value:
        case {"bytes": str(text)}:
            return base64.b64decode(text)
        case {"time": str(text)}:
            return datetime.fromisoformat(text)
        case {"decimal": str(text)}:
            return Decimal(text)
        case {"json": content}:
            return json.dumps(content)
        case _:
            return value


def read_rows(connection: Connection, table: str, columns: Sequence[str]) -> Iterator[bytes]:
    """The rows of a table as lines, a few at a time in memory."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    statement = f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)}"  # noqa: S608 - quoted names of the database's own
    options = {"stream_results": True, "max_row_buffer": 500}
    with connection.exec_driver_sql(statement, execution_options=options) as result:
        for row in result:
            yield encode_row(row)


def sum_table(connection: Connection, table: str, columns: Sequence[str]) -> TableSum:
    """The sum of a table as it is now."""
    counted = TableSum()
    for line in read_rows(connection, table, columns):
        counted.add(line)
    return counted
