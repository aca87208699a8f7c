"""Tests of the proof file and the comparison of answers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard_scorer.proof import JsonValue, Proof, ProofError, dump_proof, find_difference, read_proof, round_numbers

JSON_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)

DIFFERENT = [
    ({"predictions": [1.0, 2.0]}, {"predictions": [1.0, 2.1]}, "predictions[1]"),
    ({"predictions": [1.0]}, {"predictions": [1.0, 2.0]}, "predictions"),
    ({"predictions": [{"a": 1}]}, {"predictions": [{"a": 2}]}, "predictions[0].a"),
    ({"predictions": [{"a": 1}]}, {"predictions": [{"b": 1}]}, "predictions[0]"),
    ({"predictions": ["C2"]}, {"predictions": ["C1"]}, "predictions[0]"),
    ([1.0], [1.0001], "[0]"),
    ([0.0], [1e-7], "[0]"),
    ([7], [8], "[0]"),
    ([10**17], [10**17 + 1], "[0]"),
    ([True], [1], "[0]"),
    ([1], ["1"], "[0]"),
    ([None], [0], "[0]"),
    ([math.nan], [1.0], "[0]"),
    ([math.inf], [-math.inf], "[0]"),
    ([1.5], [10**400], "[0]"),
    (1, 2, "."),
    ([], {}, "."),
]

ALIKE = [
    ([1.0], [1.000009]),
    ([0.0], [1e-9]),
    ([1], [1.0]),
    ([math.nan], [math.nan]),
    ([math.inf], [math.inf]),
    ({"a": [None, True, "x"], "b": {}}, {"b": {}, "a": [None, True, "x"]}),
]

SAME_SHAPE = [
    ([1.0], [-7]),
    ([math.nan], [3]),
    ({"predictions": ["a", "b"]}, {"predictions": ["c", "d"]}),
    ([True], [False]),
]


@pytest.mark.parametrize(("expected", "actual", "path"), DIFFERENT)
def test_a_difference_is_told_by_its_path(expected: JsonValue, actual: JsonValue, path: str) -> None:
    assert find_difference(expected, actual) == path


@pytest.mark.parametrize(("expected", "actual"), ALIKE)
def test_answers_within_tolerance_agree(expected: JsonValue, actual: JsonValue) -> None:
    assert find_difference(expected, actual) is None


@pytest.mark.parametrize(("expected", "actual"), SAME_SHAPE)
def test_answers_of_a_random_model_agree_when_shapes_do(expected: JsonValue, actual: JsonValue) -> None:
    assert find_difference(expected, actual) is not None
    assert find_difference(expected, actual, deterministic=False) is None


@pytest.mark.parametrize(
    ("expected", "actual"), [([1.0], ["a"]), ([1.0], [1.0, 2.0]), ({"a": 1}, {"b": 1}), ([True], [1]), ([None], [1])]
)
def test_answers_of_a_random_model_differ_in_shape(expected: JsonValue, actual: JsonValue) -> None:
    assert find_difference(expected, actual, deterministic=False) is not None


@given(JSON_VALUES)
def test_every_answer_agrees_with_itself_after_rounding(value: JsonValue) -> None:
    assert find_difference(round_numbers(value), value) is None
    assert find_difference(value, value, deterministic=False) is None


def test_rounding_keeps_six_significant_digits_of_floats_only() -> None:
    answer: JsonValue = {"a": [123456.789, 1.23456789e-9, 123456789, "1.23456789", True, None, math.inf]}
    assert round_numbers(answer) == {"a": [123457.0, 1.23457e-9, 123456789, "1.23456789", True, None, math.inf]}


@given(content_type=st.text(), body=st.text(st.characters(codec="utf-8")), answer=JSON_VALUES, sure=st.booleans())
def test_a_proof_reads_back_as_it_was_dumped(
    tmp_path_factory: pytest.TempPathFactory, content_type: str, body: str, answer: JsonValue, *, sure: bool
) -> None:
    proof = Proof(content_type=content_type, body=body, answer=round_numbers(answer), deterministic=sure)
    path = tmp_path_factory.getbasetemp() / "proof.json"
    path.write_bytes(dump_proof(proof))
    again = read_proof(path)
    assert dump_proof(again) == dump_proof(proof)
    assert (again.body, again.deterministic) == (body, sure)


def test_equal_proofs_give_equal_bytes_whatever_the_order_of_keys() -> None:
    one = Proof(content_type="a/b", body="x", answer={"b": 1, "a": 2})
    other = Proof(content_type="a/b", body="x", answer={"a": 2, "b": 1})
    assert dump_proof(one) == dump_proof(other)


@pytest.mark.parametrize(
    "content",
    [
        b"CANARY",
        b'"CANARY"',
        b"\xff\xfe CANARY",
        b"{}",
        json.dumps({"schema": 2, "answer": "CANARY"}).encode(),
        json.dumps({"schema": 1, "request": {"body": "CANARY"}, "answer": 1, "deterministic": True}).encode(),
    ],
)
def test_a_file_that_is_no_proof_is_refused_without_quoting_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(content)
    with pytest.raises(ProofError) as refusal:
        read_proof(path)
    assert "proof.json" in str(refusal.value)
    assert "CANARY" not in str(refusal.value)
