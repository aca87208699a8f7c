"""The record as a tag: small whatever it holds, read back as it was, and never mistaken for somebody else's tag."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockyard.domain.record import (
    MAX_TAG_BYTES,
    RECORD_SCHEMA,
    DeploymentRecord,
    RecordStatus,
    decode_tag,
    encode_tag,
    is_late,
)
from support.strategies import any_of

RECORD = DeploymentRecord(
    status=RecordStatus.SERVING,
    revision=3,
    image="registry.example.com/wine@sha256:" + "0" * 64,
    endpoint="http://127.0.0.1:1234",
    traffic_percent=100,
    settings_hash="0123456789abcdef",
    git_revision="0123456789abcdef0123456789abcdef01234567",
    actor="ann@laptop",
    time="2026-11-22T06:00:00+00:00",
    attempt_id="attempt-1",
    run_id="0" * 32,
)
TEXT_FIELDS = (
    "image",
    "endpoint",
    "settings_hash",
    "git_revision",
    "actor",
    "time",
    "attempt_id",
    "run_id",
    "error_code",
    "model_package",
)
HOSTILE = st.one_of(
    st.text(max_size=600),
    st.text(st.characters(categories=("Cc", "Cs", "So")), max_size=600),
    st.sampled_from(["\0" * 5000, '"' * 5000, "\\" * 5000, "💥" * 5000, "\udce9" * 5000, "a" * 100_000, ""]),
)


def valid_records() -> st.SearchStrategy[DeploymentRecord]:
    """Records whose texts are short enough to be kept whole."""
    return any_of(DeploymentRecord).map(lambda record: dataclasses.replace(record, schema=RECORD_SCHEMA))


@given(valid_records())
def test_record_is_read_back_as_it_was(record: DeploymentRecord) -> None:
    assert decode_tag(encode_tag(record)) == record


@given(st.fixed_dictionaries(dict.fromkeys(TEXT_FIELDS, HOSTILE)))
def test_tag_is_at_most_4096_bytes_of_ascii_whatever_the_texts_hold(texts: dict[str, str]) -> None:
    tag = encode_tag(dataclasses.replace(RECORD, **texts))  # type: ignore[arg-type]
    assert len(tag.encode("ascii")) <= MAX_TAG_BYTES
    found = decode_tag(tag)
    assert found is not None
    assert (found.status, found.revision) == (RecordStatus.SERVING, 3)


@given(HOSTILE)
@example(text="\ud800\udc00")
def test_text_that_was_cut_is_a_beginning_and_says_so(text: str) -> None:
    text = json.loads(json.dumps(text))  # two lone surrogates side by side are one character once they were in JSON
    found = decode_tag(encode_tag(dataclasses.replace(RECORD, actor=text)))
    assert found is not None
    if found.actor != text:
        assert found.actor.endswith("...")
        assert text.startswith(found.actor[:-3])


def test_real_texts_are_kept_whole() -> None:
    assert decode_tag(encode_tag(RECORD)) == RECORD


def test_tag_is_compact_json_with_sorted_keys() -> None:
    tag = encode_tag(dataclasses.replace(RECORD, run_id=None))
    assert json.dumps(json.loads(tag), sort_keys=True, separators=(",", ":")) == tag
    assert "run_id" not in tag


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "serving",
        "[]",
        "null",
        "{}",
        '{"schema":1}',
        '{"schema":1,"status":"serving"}',
        encode_tag(RECORD).replace('"schema":1', '"schema":2'),
        encode_tag(RECORD).replace('"serving"', '"sleeping"'),
        encode_tag(RECORD).replace('"actor"', '"author"'),
    ],
)
def test_tag_that_is_not_a_record_of_this_schema_is_nobodys(tag: str) -> None:
    assert decode_tag(tag) is None


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert decode_tag(text) is None or text.startswith("{")


@pytest.mark.parametrize(
    ("there", "is_so"),
    [
        ("2026-11-22T06:00:01+00:00", True),
        ("2026-11-22T06:00:01Z", True),
        ("2026-11-22T08:00:00+01:00", True),
        ("2026-11-22T06:00:01", True),
        ("2026-11-22T06:00:00+00:00", False),
        ("2026-11-22T06:30:00+01:00", False),
        ("yesterday", False),
    ],
)
def test_record_is_late_when_another_attempts_record_tells_of_a_later_moment(there: str, is_so: bool) -> None:
    other = dataclasses.replace(RECORD, attempt_id="attempt-2", time=there)
    assert is_late(RECORD, other) is is_so


def test_record_is_never_late_where_there_is_none_or_its_own() -> None:
    assert not is_late(RECORD, None)
    assert not is_late(RECORD, dataclasses.replace(RECORD, time="2099-01-01T00:00:00+00:00"))
