"""No request is lost while revisions are switched and ports move."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard.adapters.local.control import ask_forwarder
from support.local_kit import LocalKit, ask, ask_version, build_stand_in, leaving_nothing, open_kit
from support.local_values import KEY
from support.patience import wait_for
from support.switch_load import load_on

pytestmark = pytest.mark.process


@pytest.fixture
def kit(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKit]:
    opened = open_kit(tmp_path, build_stand_in(tmp_path_factory.mktemp("images")))
    with leaving_nothing(opened):
        yield opened


def test_no_request_is_lost_over_six_redeploys(kit: LocalKit) -> None:
    port = kit.serve(1)
    with load_on(port) as load:
        for number in range(2, 8):
            kit.serve(number)
            before = load.answers.total()
            kit.host.remove_revision(KEY, number - 1)
            wait_for(lambda count=before: load.answers.total() > count + 50)  # type: ignore[misc]
        wait_for(lambda: load.answers.total() >= 2500)
    assert (load.failures, load.farewells, load.refused) == ([], 0, 0)
    assert set(load.answers) == {str(number) for number in range(1, 8)}


def test_switch_returns_only_when_the_last_request_has_left_the_old_revision(kit: LocalKit) -> None:
    port = kit.serve(1)
    answers: list[object] = []
    slow = threading.Thread(target=lambda: answers.append(ask(port, {"seconds": 1.5})["predictions"]))
    slow.start()

    def under_way() -> frozenset[int]:
        status = ask_forwarder(kit.folder.forwarder_socket(port))
        assert status is not None
        return status.under_way

    wait_for(lambda: under_way() == {1})
    kit.serve(2)
    assert under_way() == frozenset()
    slow.join()
    assert answers == [["1"]]


def test_kept_connections_are_told_before_the_old_port_closes(kit: LocalKit) -> None:
    """A client that heeds `Connection: close` loses nothing when a deployment moves to another port."""
    first = kit.serve(1)
    with load_on(first) as load:
        wait_for(lambda: load.answers.total() > 100)
        kit.serve(1, port=first + 1)
        wait_for(lambda: load.refused > 0)
    assert load.failures == []
    assert load.farewells > 0
    assert ask_version(first + 1) == "1"


def test_home_may_lie_deeper_than_a_socket_path_may_be_long(tmp_path: Path, kit: LocalKit) -> None:
    home = tmp_path / ("d" * 100) / ("e" * 100)
    deep = open_kit(home, kit.library)
    with leaving_nothing(deep):
        deep.serve(1)
        assert ask_version(deep.serve(2)) == "2"


def test_old_port_answers_until_the_new_one_does(kit: LocalKit) -> None:
    first = kit.serve(1)
    slow_answers: list[object] = []
    slow = threading.Thread(target=lambda: slow_answers.append(ask(first, {"seconds": 1.0})["predictions"]))
    slow.start()
    time.sleep(0.3)
    second = first + 1
    kit.serve(2, port=second)
    slow.join()
    assert slow_answers == [["1"]]
    assert ask_version(second) == "2"
    with pytest.raises(ConnectionRefusedError):
        ask(first)
