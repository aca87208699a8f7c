"""Tests of Content-Type and of the older bare list."""

from __future__ import annotations

import json

import pytest

from dockyard_scorer.bare_list import InputForm, rewrite_bare_list
from dockyard_scorer.content_type import parse_content_type
from dockyard_scorer.errors import ScorerError

SUPPORTED = ("application/json", "text/csv")
NAMED = InputForm(columns=("a", "b"))


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        (" application/json ;charset=UTF-8", "application/json"),
        ("text/csv", "text/csv"),
    ],
)
def test_content_type_is_read_as_mlflow_reads_it(header: str, media_type: str) -> None:
    assert parse_content_type(header, SUPPORTED) == media_type


@pytest.mark.parametrize(
    "header",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/json; version=1",
        "application/json;",
        "CANARY/CANARY",
    ],
)
def test_other_content_types_are_refused_without_repeating_them(header: str) -> None:
    with pytest.raises(ScorerError) as refusal:
        parse_content_type(header, SUPPORTED)
    assert (refusal.value.code, refusal.value.status) == ("unsupported-media-type", 415)
    assert "CANARY" not in refusal.value.message


@pytest.mark.parametrize(
    ("form", "body", "protocol"),
    [
        (NAMED, "[[2, 10]]", {"dataframe_split": {"columns": ["a", "b"], "data": [[2, 10]]}}),
        (NAMED, ' \n[{"a": 2, "b": 10}]', {"dataframe_records": [{"a": 2, "b": 10}]}),
        (InputForm(), "[[2, 10]]", {"dataframe_split": {"data": [[2, 10]]}}),
        (InputForm(is_array=True), "[[2, 10]]", {"inputs": [[2, 10]]}),
        (InputForm(is_array=True, columns=("x",)), "[[2, 10]]", {"inputs": {"x": [[2, 10]]}}),
        (InputForm(is_array=True), '[{"role": "user"}]', {"inputs": [{"role": "user"}]}),
        (NAMED, "[]", {"dataframe_split": {"columns": ["a", "b"], "data": []}}),
    ],
)
def test_bare_list_becomes_the_protocol_that_means_the_same(form: InputForm, body: str, protocol: object) -> None:
    assert json.loads(rewrite_bare_list(body.encode(), form)) == protocol


@pytest.mark.parametrize("body", [b'{"inputs": [1]}', b"", b"nonsense", b'"[1]"'])
def test_everything_else_is_left_to_mlflow(body: bytes) -> None:
    assert rewrite_bare_list(body, NAMED) is body


@pytest.mark.parametrize(
    "body", [b"[1, 2", b"[CANARY]", b"[\xff]", b'[[1]], "params": {}', b"[" * 100_000, b"[" + b"1" * 5000 + b"]"]
)
def test_a_broken_list_is_invalid_input(body: bytes) -> None:
    with pytest.raises(ScorerError) as refusal:
        rewrite_bare_list(body, NAMED)
    assert refusal.value.code == "invalid-input"
    assert "CANARY" not in refusal.value.message
