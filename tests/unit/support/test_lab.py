"""Which part a lab test gets, and what happens when there is none."""

from __future__ import annotations

import pytest

from support.lab import ENGINE, LAB_ITSELF, choose_part, is_ci
from support.lab_servers import Database, ObjectStore
from support.machine_snapshot import compare_snapshots

SKIPPED = pytest.skip.Exception
FAILED = pytest.fail.Exception


def yes(_address: str) -> bool:
    return True


def no(_address: str) -> bool:
    return False


def test_named_part_comes_before_the_labs() -> None:
    assert choose_part(ENGINE, {"DOCKYARD_TEST_DOCKER_HOST": "tcp://mine"}, "unix://lab", yes) == "tcp://mine"


def test_labs_part_is_used_when_none_is_named() -> None:
    assert choose_part(ENGINE, {}, "unix://lab", yes) == "unix://lab"


@pytest.mark.parametrize("ci", ["", "false"])
def test_absent_part_skips_on_a_laptop_and_says_how_to_get_one(ci: str) -> None:
    with pytest.raises(SKIPPED, match=r"no Docker engine: .*`lab/lab up engine`.*DOCKYARD_TEST_DOCKER_HOST"):
        choose_part(ENGINE, {"CI": ci}, "unix://lab", no)


def test_lab_itself_cannot_be_named() -> None:
    with pytest.raises(SKIPPED) as raised:
        choose_part(LAB_ITSELF, {}, "here", no)
    assert str(raised.value) == "no lab: start one with `lab/lab up all`"


@pytest.mark.parametrize("ci", ["1", "true", "True"])
def test_absent_part_fails_with_ci(ci: str) -> None:
    with pytest.raises(FAILED, match="no Docker engine"):
        choose_part(ENGINE, {"CI": ci}, None, no)


@pytest.mark.parametrize("ci", ["", "true"])
def test_named_part_that_does_not_answer_fails_everywhere_and_the_labs_is_not_used_instead(ci: str) -> None:
    def only_the_lab(address: str) -> bool:
        return address == "unix://lab"

    environ = {"CI": ci, "DOCKYARD_TEST_DOCKER_HOST": "tcp://mine"}
    with pytest.raises(FAILED, match="DOCKYARD_TEST_DOCKER_HOST=tcp://mine"):
        choose_part(ENGINE, environ, "unix://lab", only_the_lab)


def test_ci_is_off_when_unset() -> None:
    assert not is_ci({})


def test_named_database_is_read_with_quoted_characters() -> None:
    database = Database.parse("mysql://me:p%40ss%2F@db.test:3307/models")
    assert (database.host, database.port, database.user, database.password) == ("db.test", 3307, "me", "p@ss/")
    assert database.url == "mysql+pymysql://me:p%40ss%2F@db.test:3307/models"
    assert "p@ss" not in repr(database)


def test_named_object_store_is_read_and_keeps_its_secret_out_of_repr() -> None:
    store = ObjectStore.parse("https://key:se%2Fcret@s3.test:9000")
    assert (store.endpoint, store.access_key, store.secret_key) == ("https://s3.test:9000", "key", "se/cret")
    assert "se/cret" not in repr(store)


@pytest.mark.parametrize("url", ["mysql://db.test/models", "mysql://me:secret@db.test", "nonsense"])
def test_database_that_lacks_something_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="DOCKYARD_TEST_MYSQL must be") as raised:
        Database.parse(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://s3.test", "http://key@s3.test", "nonsense"])
def test_object_store_without_a_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="DOCKYARD_TEST_S3 must be"):
        ObjectStore.parse(url)


def test_snapshots_differ_by_what_came_went_and_was_there_twice() -> None:
    before = {"processes": ["bash", "old"], "links": ["lo"]}
    after = {"processes": ["bash", "bash"], "links": ["lo", "docker0"]}
    assert compare_snapshots(before, after) == ["processes: + bash", "processes: - old", "links: + docker0"]
