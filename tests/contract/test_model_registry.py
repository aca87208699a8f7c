"""What every model registry promises, held to the fake, SQLite, MySQL, `mlflow server`, and folders:

* a reference is resolved once, and records go to the version it was resolved to, wherever aliases move;
* an entry is written once, however often it is sent, and a late one replaces nothing newer;
* history is read back newest first, whatever characters are in it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dockyard.domain.attempt import AttemptKind, AttemptStatus, Failure
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import NotFoundError
from dockyard.domain.record import RecordStatus
from support.attempts import make_attempt, make_entry, make_failure, make_tag
from support.registry_stages import STAGES, Stage, fresh_key, stage_mlflow
from support.tracking import COMMIT, SERVER, SQLITE, TrackingServer

HOSTILE = "Ünï \"quotes' `ticks` \\ % _ \0 \r\n\t 💥 \udce9 {json} ; DROP TABLE tags; --"
MLFLOW_KINDS = ("memory", SQLITE, SERVER, pytest.param("mysql", marks=pytest.mark.lab))


@pytest.fixture(scope="module")
def seeded() -> dict[str, Stage]:
    """The stages of real stores, by kind: models are logged once, and each test has a deployment of its own."""
    return {}


@pytest.fixture(params=[*MLFLOW_KINDS, "folder"])
def any_stage(request: pytest.FixtureRequest, seeded: dict[str, Stage], tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A registry of every kind."""
    return _share_stage(request, seeded, tmp_path_factory.mktemp("seeded"))


@pytest.fixture(params=MLFLOW_KINDS)
def named_stage(request: pytest.FixtureRequest, seeded: dict[str, Stage], tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A registry of every kind in which models have names."""
    return _share_stage(request, seeded, tmp_path_factory.mktemp("seeded"))


@pytest.fixture(params=MLFLOW_KINDS)
def own_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """The same, with a model that no other test has."""
    return _make_stage(request, tmp_path)


def _share_stage(request: pytest.FixtureRequest, seeded: dict[str, Stage], folder: Path) -> Stage:
    if request.param in STAGES:
        return STAGES[request.param](folder)
    if request.param not in seeded:
        seeded[request.param] = _make_stage(request, folder)
    return dataclasses.replace(seeded[request.param], key=fresh_key())


def _make_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    if request.param in STAGES:
        return STAGES[request.param](tmp_path)
    if request.param in {"sqlite", "mysql"}:
        return stage_mlflow(str(request.getfixturevalue(f"{request.param}_store")), tmp_path)
    server: TrackingServer = request.getfixturevalue("tracking_server")
    return stage_mlflow(server.uri, tmp_path)


def test_two_models_have_different_digests_and_one_model_always_the_same(any_stage: Stage) -> None:
    first, second = any_stage.model(1), any_stage.model(2)
    assert first.digest != second.digest
    assert any_stage.model(1) == first


def test_version_tells_what_serving_needs(any_stage: Stage) -> None:
    version = any_stage.resolve(any_stage.refs[0])
    assert version.flavors == ("python_function", "sklearn")
    assert version.python == "3.11"
    assert version.requirements == ("mlflow-skinny==3.17.2", "scikit-learn==1.9.1")
    assert version.created == "2026-11-22T06:32:19.123456+00:00"
    assert version.has_input_example
    assert version.size_bytes > 0


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("{name}", "2"),
        ("models:/{name}", "2"),
        ("models:/{name}/1", "1"),
        ("models:/{name}/latest", "2"),
        ("models:/{name}@champion", "1"),
    ],
)
def test_name_version_latest_and_alias_resolve_to_a_version_of_the_registered_model(
    named_stage: Stage, text: str, version: str
) -> None:
    named_stage.registry.set_alias(named_stage.name, "champion", "1")
    found = named_stage.resolve(text.format(name=named_stage.name))
    assert (found.identity.name, found.identity.version) == (named_stage.name, version)
    assert found.identity.digest == named_stage.model(int(version)).digest
    assert found.identity.run_id == named_stage.run_id
    assert found.git_revision == COMMIT


def test_run_and_logged_model_resolve_to_the_same_files_without_a_name(named_stage: Stage) -> None:
    by_run = named_stage.resolve(f"runs:/{named_stage.run_id}/model").identity
    assert (by_run.digest, by_run.name) == (named_stage.model(1).digest, None)
    by_id = named_stage.resolve(f"models:/{named_stage.model_id}").identity
    by_name_in_run = named_stage.resolve(f"runs:/{named_stage.run_id}/other").identity
    assert by_id.digest == by_name_in_run.digest == named_stage.model(2).digest
    assert by_id.name is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no such model", "model-not-found"),
        ("models:/no such model/1", "model-not-found"),
        ("models:/no such model@champion", "model-not-found"),
        ("models:/no such model/Production", "model-not-found"),
        ("models:/{name}/9", "model-not-found"),
        ("models:/{name}/Production", "model-not-found"),
        ("models:/{name}@nobody", "alias-not-found"),
        ("models:/m-99999999999999999999999999999999", "model-not-found"),
        ("runs:/99999999999999999999999999999999/model", "model-not-found"),
        ("runs:/{run_id}/nothing", "model-not-found"),
        ('models:/it\'s "both"/1', "model-not-found"),
        ('it\'s "both"', "model-not-found"),
    ],
)
def test_what_is_not_there_is_not_found(named_stage: Stage, text: str, code: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        named_stage.resolve(text.format(name=named_stage.name, run_id=named_stage.run_id))
    assert caught.value.code == code


def test_alias_points_where_it_was_last_set(own_stage: Stage) -> None:
    registry, name = own_stage.registry, own_stage.name
    assert registry.find_alias(name, "prod") is None
    assert registry.find_alias("no such model", "prod") is None
    registry.set_alias(name, "prod", "1")
    registry.set_alias(name, "prod", "2")
    assert registry.find_alias(name, "prod") == "2"
    assert own_stage.resolve(own_stage.refs[1]).aliases == ("prod",)
    assert own_stage.resolve(own_stage.refs[0]).aliases == ()


def test_alias_cannot_point_at_a_version_that_is_not_there(named_stage: Stage) -> None:
    with pytest.raises(NotFoundError) as caught:
        named_stage.registry.set_alias(named_stage.name, "prod", "9")
    assert caught.value.code == "model-not-found"


def test_record_goes_to_the_resolved_version_when_the_alias_moves_in_between(own_stage: Stage) -> None:
    registry, key = own_stage.registry, own_stage.key
    registry.set_alias(own_stage.name, "prod", "1")
    model = own_stage.resolve(f"models:/{own_stage.name}@prod").identity
    registry.set_alias(own_stage.name, "prod", "2")
    registry.write_entry(make_entry(make_attempt(key, model)))
    assert registry.find_record(key, own_stage.model(1)) is not None
    assert registry.find_record(key, own_stage.model(2)) is None


def test_there_is_nothing_before_anything_is_written(any_stage: Stage) -> None:
    assert any_stage.registry.find_record(any_stage.key, any_stage.model()) is None
    assert any_stage.registry.list_attempts(any_stage.key, 10) == ()


def test_written_record_is_found_and_names_its_history_run(any_stage: Stage) -> None:
    entry = make_entry(make_attempt(any_stage.key, any_stage.model()))
    run_id = any_stage.registry.write_entry(entry)
    found = any_stage.registry.find_record(any_stage.key, any_stage.model())
    assert found == dataclasses.replace(entry.tags[0].record, run_id=run_id)


def test_record_of_a_model_that_was_never_registered_is_found_again(named_stage: Stage) -> None:
    model = named_stage.resolve(f"runs:/{named_stage.run_id}/model").identity
    entry = make_entry(make_attempt(named_stage.key, model))
    run_id = named_stage.registry.write_entry(entry)
    found = named_stage.registry.find_record(named_stage.key, model)
    assert found is not None
    assert dataclasses.replace(found, run_id=run_id) == dataclasses.replace(entry.tags[0].record, run_id=run_id)


def test_same_entry_written_again_is_written_once(any_stage: Stage) -> None:
    entry = make_entry(make_attempt(any_stage.key, any_stage.model()))
    first = any_stage.registry.write_entry(entry)
    record = any_stage.registry.find_record(any_stage.key, any_stage.model())
    assert any_stage.registry.write_entry(entry) == first
    assert any_stage.registry.find_record(any_stage.key, any_stage.model()) == record
    assert len(any_stage.registry.list_attempts(any_stage.key, 10)) == 1


def test_attempts_are_listed_newest_first_and_only_those_of_the_deployment(any_stage: Stage) -> None:
    model = any_stage.model()
    other = DeploymentKey(environment="staging", name=any_stage.key.name)
    for number in (2, 1, 3):
        any_stage.registry.write_entry(make_entry(make_attempt(any_stage.key, model, number=number)))
    any_stage.registry.write_entry(make_entry(make_attempt(other, model, number=4)))
    assert [one.revision for one in any_stage.registry.list_attempts(any_stage.key, 10)] == [3, 2, 1]
    assert [one.revision for one in any_stage.registry.list_attempts(any_stage.key, 2)] == [3, 2]
    assert any_stage.registry.list_attempts(any_stage.key, 0) == ()


def test_attempt_is_read_back_with_all_that_history_shows(any_stage: Stage) -> None:
    attempt = make_attempt(
        any_stage.key,
        any_stage.model(2),
        number=7,
        kind=AttemptKind.ROLLBACK,
        status=AttemptStatus.FAILED,
        failure=make_failure(),
    )
    run_id = any_stage.registry.write_entry(make_entry(attempt, RecordStatus.FAILED))
    (found,) = any_stage.registry.list_attempts(any_stage.key, 10)
    # Plan and outcomes are for the run's files: history shows neither.
    assert dataclasses.replace(found, outcomes=()) == dataclasses.replace(attempt, plan=None, outcomes=(), run_id=run_id)


def test_newer_record_is_not_replaced_by_one_that_waited(any_stage: Stage) -> None:
    model = any_stage.model()
    late, newer = (make_entry(make_attempt(any_stage.key, model, number=number)) for number in (1, 2))
    any_stage.registry.write_entry(newer)
    any_stage.registry.write_entry(late)
    found = any_stage.registry.find_record(any_stage.key, model)
    assert found is not None
    assert found.revision == 2
    assert [one.revision for one in any_stage.registry.list_attempts(any_stage.key, 10)] == [2, 1]


def test_superseded_version_is_told_so(any_stage: Stage) -> None:
    first = make_attempt(any_stage.key, any_stage.model(1), number=1)
    second = make_attempt(any_stage.key, any_stage.model(2), number=2)
    any_stage.registry.write_entry(make_entry(first))
    superseded = make_tag(second, any_stage.model(1), RecordStatus.SUPERSEDED)
    entry = make_entry(second)
    any_stage.registry.write_entry(dataclasses.replace(entry, tags=(*entry.tags, superseded)))
    records = [any_stage.registry.find_record(any_stage.key, any_stage.model(version)) for version in (1, 2)]
    assert [record.status if record else None for record in records] == [RecordStatus.SUPERSEDED, RecordStatus.SERVING]


def test_record_alone_is_written_without_history(any_stage: Stage) -> None:
    attempt = make_attempt(any_stage.key, any_stage.model())
    tag = make_tag(attempt, any_stage.model(), RecordStatus.SUPERSEDED)
    any_stage.registry.write_tags((tag,))
    assert any_stage.registry.find_record(any_stage.key, any_stage.model()) == tag.record
    assert any_stage.registry.list_attempts(any_stage.key, 10) == ()


def test_hostile_texts_are_written_and_do_no_harm(any_stage: Stage) -> None:
    attempt = make_attempt(
        any_stage.key,
        any_stage.model(),
        actor=HOSTILE,
        endpoint=HOSTILE,
        git_revision=HOSTILE,
        status=AttemptStatus.FAILED,
        failure=Failure(code="internal-error", message=HOSTILE * 1000, hint=HOSTILE),
    )
    any_stage.registry.write_entry(make_entry(attempt, RecordStatus.FAILED))
    record = any_stage.registry.find_record(any_stage.key, any_stage.model())
    assert record is not None
    assert record.actor.startswith("Ünï \"quotes' `ticks` \\ % _ ")
    (found,) = any_stage.registry.list_attempts(any_stage.key, 10)
    assert found.actor.startswith("Ünï \"quotes' `ticks` \\ % _ ")
    assert "💥" in found.actor
    assert found.failure is not None
    assert found.failure.message.startswith("Ünï")
