"""A stack stays as it is when it is so already, an upgrade takes a backup first, and data go only when that is said twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dockyard.domain.deployment import Runtime
from dockyard.domain.errors import DockyardError
from dockyard.domain.result import ResultStatus
from dockyard.domain.stack import StackKind, StackWish
from dockyard.testing.stack import FakeStackBook, FakeStackHost
from dockyard.usecases.stack import StackDesk

WISH = StackWish(name="team", kind=StackKind.LOCAL, port=5050, runtime=Runtime.DOCKER, image="tracking:1")


@pytest.fixture(name="host")
def one_host() -> FakeStackHost:
    return FakeStackHost()


@pytest.fixture(name="desk")
def desk_of_one_host(host: FakeStackHost) -> StackDesk:
    return StackDesk(
        book=FakeStackBook(), open_host=lambda _wish: host, settle=lambda wish: replace(wish, runtime=Runtime.DOCKER)
    )


def expect_code(code: str, act: Callable[[], object]) -> DockyardError:
    with pytest.raises(DockyardError) as raised:
        act()
    assert raised.value.code == code
    return raised.value


def test_second_up_changes_nothing_and_tells_the_same(desk: StackDesk) -> None:
    first, second = desk.up(WISH), desk.up(WISH)
    assert (first.status, second.status) == (ResultStatus.DONE, ResultStatus.UNCHANGED)
    assert first.environment == second.environment == {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5050"}


def test_stack_of_another_kind_is_not_taken_for_this_one(desk: StackDesk, host: FakeStackHost) -> None:
    desk.up(WISH)
    expect_code("stack-differs", lambda: desk.up(replace(WISH, kind=StackKind.K8S)))
    error = expect_code("stack-differs", lambda: desk.up(replace(WISH, runtime=Runtime.PROCESS)))
    assert "with the runtime docker" in error.message
    assert host.calls == ["start"]


def test_local_stack_goes_on_as_it_was_where_nothing_else_is_said(desk: StackDesk) -> None:
    bare = StackWish(name="team", kind=StackKind.LOCAL, runtime=Runtime.AUTO)
    desk.up(bare)
    assert desk.book.find("team") == replace(bare, port=5050, runtime=Runtime.DOCKER)
    desk.up(replace(bare, port=5051, image="tracking:1"))
    assert desk.up(bare).status is ResultStatus.UNCHANGED
    assert desk.book.find("team") == replace(WISH, port=5051)


def test_image_is_not_taken_for_a_stack_that_runs_none(desk: StackDesk, host: FakeStackHost) -> None:
    desk.book.write(replace(WISH, runtime=Runtime.PROCESS, image=None))
    expect_code("usage", lambda: desk.upgrade("team", "tracking:2", (), with_backup=True))
    assert host.calls == []


def test_stack_whose_start_failed_can_be_looked_at_and_taken_down(desk: StackDesk, host: FakeStackHost) -> None:
    host.failing = "start"
    expect_code("stack-failed", lambda: desk.up(WISH))
    assert not desk.status("team").is_up
    assert desk.down("team", delete_data=False, confirmed=None).status is ResultStatus.DONE


def test_upgrade_takes_a_backup_first_and_changes_nothing_when_that_fails(desk: StackDesk, host: FakeStackHost) -> None:
    desk.up(WISH)
    result = desk.upgrade("team", "registry.example/tracking:2", (), with_backup=True)
    assert (host.calls, result.answer) == (["start", "backup", "start"], {"backup": "newest"})
    host.failing = "backup"
    expect_code("stack-failed", lambda: desk.upgrade("team", "registry.example/tracking:3", (), with_backup=True))
    wish = desk.book.find("team")
    assert wish is not None
    assert (wish.image, host.calls[-1]) == ("registry.example/tracking:2", "backup")
    assert desk.upgrade("team", None, ("values.yaml",), with_backup=False).answer is None


def test_command_beside_a_stack_is_told_its_backup(desk: StackDesk, host: FakeStackHost) -> None:
    desk.up(WISH)
    assert desk.run("team", "restore", "20261122T021700Z-0000").answer == {"backup": "20261122T021700Z-0000"}
    assert desk.run("team", "verify").status is ResultStatus.UNCHANGED
    assert host.calls[1:] == ["restore 20261122T021700Z-0000", "verify"]
    assert desk.logs("team", 2) == ("two", "three")


@pytest.mark.parametrize("confirmed", [None, "another"])
def test_data_that_are_not_deleted_twice_by_name_stay_and_the_stack_too(
    desk: StackDesk, host: FakeStackHost, confirmed: str | None
) -> None:
    desk.up(WISH)
    error = expect_code("consent-needed", lambda: desk.down("team", delete_data=True, confirmed=confirmed))
    assert "--yes-delete-data team" in str(error.hint)
    assert (host.is_up, host.has_data) == (True, True)


def test_down_keeps_data_and_wish_unless_deletion_was_said_twice(desk: StackDesk, host: FakeStackHost) -> None:
    desk.up(WISH)
    expect_code("usage", lambda: desk.down("team", delete_data=False, confirmed="team"))
    desk.down("team", delete_data=False, confirmed=None)
    assert (host.is_up, host.has_data, desk.book.find("team")) == (False, True, WISH)
    desk.down("team", delete_data=True, confirmed="team")
    assert (host.has_data, desk.book.find("team")) == (False, None)
    expect_code("stack-unknown", lambda: desk.status("team"))
