"""What the fake registry offers to tests beside the contract: failures on demand, a server that goes away, counted writes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dockyard.domain.errors import CredentialsError, UnavailableError
from dockyard.domain.reference import parse_model_ref
from dockyard.testing.registry import MemoryRegistry
from support.attempts import make_attempt, make_entry
from support.local_values import KEY, make_model
from support.registry_stages import stage_memory

ENTRY = make_entry(make_attempt(KEY, make_model()))


def test_registry_that_went_away_refuses_everything_until_it_is_back() -> None:
    registry = MemoryRegistry(is_reachable=False)
    with pytest.raises(UnavailableError) as caught:
        registry.write_entry(ENTRY)
    assert caught.value.code == "tracking-unreachable"
    with pytest.raises(UnavailableError):
        registry.resolve_model(parse_model_ref("wine"))
    registry.is_reachable = True
    assert registry.write_entry(ENTRY) == "run-1"


def test_method_fails_with_the_error_it_was_given() -> None:
    registry = MemoryRegistry(failures={"set_alias": CredentialsError("credentials-refused", "no")})
    with pytest.raises(CredentialsError):
        registry.set_alias("wine", "prod", "1")
    assert registry.find_alias("wine", "prod") is None


def test_writes_are_counted_and_what_changes_nothing_is_not_a_write() -> None:
    registry = MemoryRegistry()
    for _ in range(2):
        registry.write_entry(ENTRY)
        registry.find_record(KEY, make_model())
        registry.list_attempts(KEY, 1)
    assert registry.writes == ["run prod/wine succeeded", "tag wine 1 dockyard.prod.wine serving"]


def test_stage_resolves_to_the_version_that_was_put_into_it(tmp_path: Path) -> None:
    stage = stage_memory(tmp_path)
    registry = stage.registry
    assert isinstance(registry, MemoryRegistry)
    registry.set_stage("wine", "Production", "1")
    assert stage.resolve("models:/wine/production").identity.version == "1"


def test_whole_attempts_are_there_to_look_at() -> None:
    registry = MemoryRegistry()
    registry.write_entry(ENTRY)
    assert registry.attempts == {ENTRY.attempt.id: dataclasses.replace(ENTRY.attempt, run_id="run-1")}
