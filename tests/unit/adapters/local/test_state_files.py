"""State, route, launch and status: read as they were written, and what a damaged one means."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.local.launch import Launch, Phase, Status, read_launch, read_status, write_launch, write_status
from dockyard.adapters.local.route import Route, RouteReader, read_route, write_route
from dockyard.adapters.local.state import DeploymentState, RevisionEntry, read_state, write_state
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import ImageDigest
from support.local_values import KEY, make_spec


def make_entry(number: int) -> RevisionEntry:
    return RevisionEntry(
        number=number, spec=make_spec(number), image=ImageDigest("sha256:1"), created="2026-01-01T00:00:00+00:00"
    )


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    assert read_state(path, KEY) == DeploymentState(key=KEY)
    state = DeploymentState(key=KEY).with_revision(make_entry(2)).with_revision(make_entry(1)).with_port(1234)
    write_state(path, state)
    assert read_state(path, KEY) == state
    assert [entry.number for entry in state.revisions] == [1, 2]
    assert state.next_number == 3


def test_state_without_port_and_revisions_is_empty() -> None:
    state = DeploymentState(key=KEY).with_revision(make_entry(1))
    assert not state.is_empty
    assert state.without_revision(1).is_empty
    assert state.without_revision(1).next_number == 2
    assert not state.without_revision(1).with_port(1).is_empty
    assert state.find(2) is None


@pytest.mark.parametrize("content", ["{", '{"schema": 2}', "[]"])
def test_damaged_state_is_told_with_its_place(tmp_path: Path, content: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(content)
    with pytest.raises(DockyardError, match=r"deployment\.json") as damaged:
        read_state(path, KEY)
    assert damaged.value.code == "state-corrupt"


def test_route_is_read_anew_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "route.json"
    reader = RouteReader(path)
    assert (read_route(path), reader.read()) == (None, None)
    for route in [Route(revision=number, address=f"127.0.0.1:{number}", since="now") for number in range(1, 20)]:
        write_route(path, route)
        assert (read_route(path), reader.read(), reader.read()) == (route, route, route)
        assert route.endpoint == ("127.0.0.1", route.revision)
    path.unlink()
    assert reader.read() is None


def test_route_that_does_not_say_since_when_is_in_force_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "route.json"
    path.write_text('{"revision": 1, "address": "127.0.0.1:2"}')
    assert read_route(path) == Route(revision=1, address="127.0.0.1:2", since=None)


def test_file_that_is_no_route_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "route.json"
    path.write_text('{"revision": "1", "address": 2}')
    with pytest.raises(ValueError, match="is not a route"):
        read_route(path)


def test_launch_and_status_are_read_as_they_were_written(tmp_path: Path) -> None:
    launch = Launch(command=("python3", "x"), env={"A": "1"}, cwd="/", host="127.0.0.1", grace_seconds=3)
    write_launch(tmp_path / "launch.json", launch)
    assert read_launch(tmp_path / "launch.json") == launch
    status = Status(phase=Phase.FAILED, port=1, restarts=2, exit_code=-9)
    write_status(tmp_path / "status.json", status)
    assert read_status(tmp_path / "status.json") == status


@pytest.mark.parametrize("content", [None, "{", "[]", '{"phase": "new", "port": 1}', '{"phase": "ready", "other": 1}'])
def test_status_that_cannot_be_read_is_none(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "status.json").write_text(content)
    assert read_status(tmp_path / "status.json") is None
