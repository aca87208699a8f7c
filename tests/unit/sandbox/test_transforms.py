"""Objects are cut into payloads and answers put together as the job says."""

from __future__ import annotations

import pytest

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.surroundings import TransformError
from dockyard_sandbox.transforms import assemble, cut_payloads

MEGABYTE = 1 << 20


def cut(content: bytes, split: str = "Line", **request: object) -> list[bytes]:
    return list(cut_payloads(Fields({"TransformInput": {"SplitType": split}, **request}), content))


def test_object_that_is_not_split_is_one_payload() -> None:
    assert cut(b"a\nb\n", "None") == [b"a\nb\n"]


def test_single_records_go_one_by_one_and_several_together() -> None:
    assert cut(b"a\nb\nc", BatchStrategy="SingleRecord") == [b"a\n", b"b\n", b"c"]
    assert cut(b"a\nb\nc") == [b"a\nb\nc"]
    assert cut(b"") == []


def test_payload_grows_up_to_its_limit() -> None:
    record = b"x" * (MEGABYTE // 2 - 1) + b"\n"
    assert cut(record * 3, MaxPayloadInMB=1) == [record * 2, record]
    assert cut(record * 3, MaxPayloadInMB=0) == [record * 3]
    with pytest.raises(TransformError, match="larger than MaxPayloadInMB"):
        cut(b"x" * (MEGABYTE + 1), MaxPayloadInMB=1)


def test_answers_are_put_together_by_line_or_as_they_are() -> None:
    assert assemble([b"1", b"2\n"], by_line=True) == b"1\n2\n"
    assert assemble([b"1", b"2\n"], by_line=False) == b"12\n"
