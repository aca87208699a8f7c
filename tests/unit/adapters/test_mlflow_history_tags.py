"""What a history run says, and that an attempt is read back from its tags alone."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard.adapters.mlflow_history_tags import (
    RECORD,
    clean,
    describe_metrics,
    describe_params,
    describe_tags,
    find_own_record,
    read_attempt,
    summarize,
)
from dockyard.domain.attempt import Attempt, AttemptStatus, RegistryEntry
from dockyard.domain.record import decode_tag
from support.attempts import SECRET, make_attempt, make_entry, make_failure
from support.local_values import KEY, make_model
from support.strategies import any_of

ATTEMPT = make_attempt(KEY, make_model(3), number=3)


@settings(max_examples=50, deadline=None)
@given(any_of(Attempt))
def test_any_attempt_is_read_back_from_its_tags(attempt: Attempt) -> None:
    # Texts lose what no database takes, and details of a failure are for the file.
    attempt = dataclasses.replace(attempt, plan=None, outcomes=(), run_id="run-1")
    if attempt.failure is not None:
        attempt = dataclasses.replace(attempt, failure=dataclasses.replace(attempt.failure, details=()))
    found = read_attempt(describe_tags(RegistryEntry(attempt=attempt)), "run-1")
    assert found is not None
    assert clean(repr(found)) == clean(repr(attempt).replace("\\x00", "?"))


@given(st.text(st.characters(), max_size=3000))
def test_cleaned_text_is_short_and_has_nothing_that_a_database_refuses(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= 1000
    assert "\0" not in cleaned
    cleaned.encode()


@pytest.mark.parametrize("missing", ["dockyard.attempt-id", "dockyard.kind", "dockyard.status", "dockyard.target"])
def test_run_that_lacks_a_tag_is_nobodys_attempt(missing: str) -> None:
    tags = dict(describe_tags(make_entry(ATTEMPT)))
    del tags[missing]
    assert read_attempt(tags, "run-1") is None


def test_run_with_a_status_of_the_future_is_left_out() -> None:
    assert read_attempt({**describe_tags(make_entry(ATTEMPT)), "dockyard.status": "dreamt"}, "run-1") is None


def test_own_record_is_in_a_tag_and_that_of_a_superseded_version_is_not() -> None:
    entry = make_entry(ATTEMPT)
    other = dataclasses.replace(entry.tags[0], version="2")
    tags = describe_tags(dataclasses.replace(entry, tags=(other, *entry.tags)))
    assert decode_tag(tags[RECORD]) == entry.tags[0].record
    assert RECORD not in describe_tags(dataclasses.replace(entry, tags=(other,)))
    assert find_own_record(RegistryEntry(attempt=dataclasses.replace(ATTEMPT, model=None), tags=entry.tags)) is None


def test_version_in_sagemakers_registry_is_a_tag_where_there_is_one() -> None:
    entry = make_entry(ATTEMPT)
    assert "dockyard.model-package" not in describe_tags(entry)
    record = dataclasses.replace(entry.tags[0].record, model_package="arn:aws:sagemaker:…:model-package/wine/3")
    tags = describe_tags(dataclasses.replace(entry, tags=(dataclasses.replace(entry.tags[0], record=record),)))
    assert tags["dockyard.model-package"] == record.model_package


def test_note_says_in_one_line_what_was_done_by_whom_and_how_it_ended() -> None:
    assert describe_tags(make_entry(ATTEMPT))["mlflow.note.content"] == "deploy of wine v3, prod/wine, by ann@laptop: succeeded"
    failed = dataclasses.replace(ATTEMPT, status=AttemptStatus.FAILED, failure=make_failure(), model=None)
    note = describe_tags(RegistryEntry(attempt=failed))["mlflow.note.content"]
    assert note == "deploy, prod/wine, by ann@laptop: failed\n\nrevision-crashed: revision 2 ended before it was ready"


def test_params_are_few_and_hold_no_environment() -> None:
    assert describe_params(ATTEMPT) == {
        "model": "wine v3",
        "revision": "3",
        "previous revision": "2",
        "builder": "direct",
        "runtime": "process",
        "fingerprint": "fp1",
    }
    assert SECRET not in str(describe_params(ATTEMPT)) + str(describe_tags(make_entry(ATTEMPT)))
    assert describe_params(dataclasses.replace(ATTEMPT, plan=None, model=None, revision=None, previous=None)) == {}


def test_metrics_are_seconds_of_steps_and_milliseconds_of_requests() -> None:
    metrics = {(one.key, one.step): one.value for one in describe_metrics(ATTEMPT)}
    assert metrics["step seconds/01 BuildImage", 0] == 12.5
    assert metrics["smoke test/latency ms", 1] == 5.0
    assert metrics["smoke test/latency ms", 20] == 10.0
    assert metrics["smoke test/p50 ms", 0] == 8.0
    assert len([key for key, _ in metrics if key == "smoke test/latency ms"]) == 20


def test_attempt_without_smoke_test_has_no_latencies() -> None:
    assert describe_metrics(dataclasses.replace(ATTEMPT, outcomes=())) == ()
    metrics = describe_metrics(dataclasses.replace(ATTEMPT, outcomes=ATTEMPT.outcomes[:1]))
    assert [one.key for one in metrics] == ["step seconds/01 BuildImage"]


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200))
def test_percentiles_are_measured_values_in_order(latencies: list[float]) -> None:
    values = [value for _, value in summarize(latencies)]
    assert values == sorted(values)
    assert set(values) <= set(latencies)
    assert values[-1] == max(latencies)
    assert sum(one <= values[0] for one in latencies) * 2 >= len(latencies)


def test_percentiles_of_nothing_are_nothing() -> None:
    assert list(summarize([])) == []
    assert list(summarize([4.0])) == [("p50", 4.0), ("p95", 4.0), ("p99", 4.0), ("max", 4.0)]
