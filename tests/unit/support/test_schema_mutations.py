"""Mutations of values know every fault that they hold."""

from __future__ import annotations

from support.schema_mutations import misspell, mistype

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "port": {"type": "integer"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "peers": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}},
        },
    },
}


def test_every_key_of_a_closed_object_is_misspelt_and_none_of_an_open_one() -> None:
    mutation = misspell(SCHEMA)
    assert mutation.values == {"portx": 1, "labelsx": 1, "peersx": 1, "peers": [{"namex": 1}]}
    assert mutation.faults == {("", "portx"), ("", "labelsx"), ("", "peersx"), ("/peers/0", "namex")}


def test_everything_is_mistyped_depth_by_depth() -> None:
    other = [["another type"]]
    first, second, third = mistype(SCHEMA)
    assert first.values == {"port": other, "labels": 7.5, "peers": 7.5}
    assert second.values == {"labels": {"ANY": other}, "peers": [7.5]}
    assert second.faults == {("/labels/ANY", ""), ("/peers/0", "")}
    assert third.values == {"peers": [{"name": other}]}
