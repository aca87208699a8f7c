"""What is written to state files comes back equal, and what is not ours is refused without showing it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from dockyard.adapters.codec import decode, encode
from dockyard.domain.attempt import Attempt, Failure, RegistryEntry
from dockyard.domain.deployment import DeploymentKey, LocalRevision
from dockyard.domain.errors import DockyardError
from dockyard.domain.plan import Outcome, OutcomeStatus, Plan, Step
from support.strategies import any_of


@settings(max_examples=40, deadline=None)
@given(any_of(Attempt))
def test_attempt_with_any_plan_survives_the_round_trip(attempt: Attempt) -> None:
    assert decode(Attempt, encode(attempt)) == attempt


@settings(max_examples=40, deadline=None)
@given(any_of(RegistryEntry))
def test_registry_entry_survives_the_round_trip(entry: RegistryEntry) -> None:
    assert decode(RegistryEntry, encode(entry)) == entry


@settings(max_examples=40, deadline=None)
@given(any_of(LocalRevision))
def test_revision_survives_the_round_trip_and_keeps_its_spec_hash(revision: LocalRevision) -> None:
    found = decode(LocalRevision, encode(revision))
    assert found == revision
    assert found.spec.spec_hash == revision.spec.spec_hash


@pytest.mark.parametrize("step", Step.__args__, ids=lambda cls: str(cls.__name__))
def test_every_kind_of_step_is_told_apart_by_its_type(step: type[Step]) -> None:
    # No other field may decide: a step decodes to its own class whatever its fields hold.
    @settings(max_examples=10, deadline=None)
    @given(any_of(step))
    def check(made: Step) -> None:
        plan = Plan(
            key=DeploymentKey(environment="e", name="n"),
            steps=(made,),
            changes=(),
            observed_at="",
            revision=None,
            previous=None,
            endpoint=None,
        )
        assert type(decode(Plan, encode(plan)).steps[0]) is step

    check()


def test_numbers_of_facts_keep_their_kind() -> None:
    outcome = Outcome(
        step="SmokeTest",
        description="",
        status=OutcomeStatus.DONE,
        seconds=0.5,
        facts=(("bytes", 3), ("seconds", 3.0), ("latencies", (1.0, 2.5)), ("digest", "3")),
    )
    assert [type(value) for _, value in decode(Outcome, encode(outcome)).facts] == [int, float, tuple, str]


def test_lone_surrogate_is_written_as_question_mark_instead_of_failing() -> None:
    failure = Failure(code="internal-error", message="no such file: caf\udce9")
    assert decode(Failure, encode(failure)).message == "no such file: caf?"


def test_key_of_a_newer_dockyard_is_ignored() -> None:
    key = DeploymentKey(environment="e", name="n")
    fields = json.loads(encode(key)) | {"invented_later": 1}
    assert decode(DeploymentKey, json.dumps(fields).encode()) == key


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "the document"),
        (b"[]", "the document"),
        (b'{"environment": "e", "na', "the document"),
        (b'{"environment": "e"}', "name"),
        (b'{"environment": "e", "name": 7}', "name"),
        (b'{"environment": "e", "name": "n", "target": "canary-7f3"}', "target"),
        (b'{"environment": "e", "name": "canary-7f3\xff"}', "the document"),
    ],
)
def test_damaged_state_is_refused_with_the_place_and_without_the_value(data: bytes, place: str) -> None:
    with pytest.raises(DockyardError) as caught:
        decode(DeploymentKey, data, what="`state.json`")
    assert caught.value.code == "state-corrupt"
    assert "`state.json`" in caught.value.message
    assert place in caught.value.message
    assert "canary-7f3" not in str(caught.value) + str(caught.value.hint) + repr(caught.value.__cause__)
