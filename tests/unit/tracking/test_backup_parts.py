"""Rows keep their values, sealed files open for their key only, and sums tell tables apart."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dockyard_tracking.backup.rows import TableSum, decode_row, encode_row
from dockyard_tracking.backup.sealing import seal_file, unseal_file
from dockyard_tracking.errors import TrackingError

KEY = bytes(range(32))


def test_row_keeps_every_kind_of_value() -> None:
    row = (
        None,
        True,
        9007199254740993,
        0.1 + 0.2,
        float("inf"),
        "ü\n\x00",
        b"\xff\x00",
        datetime(2026, 1, 2, 3),  # noqa: DTZ001 - as drivers have it
        Decimal("1.10"),
    )
    line = encode_row(row)
    assert b"\n" not in line
    assert decode_row(line) == row


def test_json_that_a_driver_has_read_is_written_as_text() -> None:
    assert decode_row(encode_row([{"b": 1, "a": [2]}, memoryview(b"x")])) == ('{"a": [2], "b": 1}', b"x")
    with pytest.raises(TypeError, match="set"):
        encode_row([set()])


def test_sum_does_not_depend_on_order_and_sees_a_row_that_is_there_twice() -> None:
    def add(*lines: bytes) -> str:
        counted = TableSum()
        for line in lines:
            counted.add(line)
        return counted.digest

    assert add(b"a", b"b") == add(b"b", b"a")
    assert len({add(b"a"), add(b"a", b"a"), add(b"b"), add()}) == 4


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_sealed_file_opens_whole_or_not_at_all(tmp_path: Path, size: int) -> None:
    plain, sealed, back = tmp_path / "plain", tmp_path / "sealed", tmp_path / "back"
    plain.write_bytes(b"x" * size)
    seal_file(plain, sealed, KEY)
    unseal_file(sealed, back, KEY, "it")
    assert back.read_bytes() == plain.read_bytes()
    header = 18 + 8 + 8
    sealed.write_bytes(sealed.read_bytes()[: header + (1 << 20) + 16 if size > 1 << 20 else -1])  # cut at a piece's end
    with pytest.raises(TrackingError, match="it was changed or cut off") as raised:
        unseal_file(sealed, back, KEY, "it")
    assert raised.value.code == "backup-damaged"
