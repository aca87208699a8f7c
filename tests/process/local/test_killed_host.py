"""kill -9 of a command at every change that it makes to the machine: the same calls again complete what it began.

The command is a fork of the test that kills itself at its n-th change, for every n until it gets through.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockyard.domain.deployment import RevisionStatus
from support.local_kit import LocalKit, ask_version, build_stand_in, leaving_nothing, open_kit
from support.local_values import KEY
from support.patience import wait_for
from support.ports import reserve_port

pytestmark = pytest.mark.process

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.kill", "subprocess.Popen", "socket.bind", "shutil.rmtree"}
_ENOUGH = 80


@pytest.fixture
def kit(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKit]:
    opened = open_kit(tmp_path, build_stand_in(tmp_path_factory.mktemp("images")))
    with leaving_nothing(opened):
        yield opened


def kill_at_change(number: int, act: Callable[[], None]) -> bool:
    """Run `act` in a fork that kills itself just before its n-th change. Returns whether it got through instead."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            counter = itertools.count(1)

            def watch(event: str, _: tuple[object, ...]) -> None:
                if event in CHANGES and next(counter) == number:
                    os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(watch)
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it raised an error"
    return not os.WIFSIGNALED(status)


def kill_everywhere(prepare: Callable[[], None], act: Callable[[], None], check: Callable[[], None], *, stride: int = 1) -> int:
    """Prepare, be killed at the n-th change, act again and check, for every `stride`-th n. Returns how many there are."""
    for number in range(1, _ENOUGH, stride):
        prepare()
        got_through = kill_at_change(number, act)
        act()
        check()
        if got_through:
            return number - 1
    raise AssertionError("there is no end to its changes")


def test_killed_start_leaves_one_revision_when_it_is_done_again(kit: LocalKit) -> None:
    def prepare() -> None:
        kit.inventory.delete_deployment(KEY)

    def start() -> None:
        kit.host.start_revision(KEY, 1, kit.make_spec(1))

    def check() -> None:
        wait_for(lambda: kit.find(1).status is RevisionStatus.READY)
        assert [one.number for one in kit.host.describe_deployment(KEY).revisions] == [1]
        assert kit.inventory.list_orphans() == ()

    assert kill_everywhere(prepare, start, check) >= 5


def test_killed_switch_keeps_answering_and_is_completed(kit: LocalKit) -> None:
    port = kit.serve(1)
    kit.start(2)

    def prepare() -> None:
        kit.host.route_traffic(KEY, 1, port)

    def switch() -> None:
        assert ask_version(port) in {"1", "2"}
        kit.host.route_traffic(KEY, 2, port)

    def check() -> None:
        local = kit.host.describe_deployment(KEY)
        assert (local.serving, local.port, local.is_forwarding, ask_version(port)) == (2, port, True, "2")
        assert kit.inventory.list_orphans() == ()

    assert kill_everywhere(prepare, switch, check) >= 2


def test_killed_move_to_another_port_keeps_answering_and_is_completed(kit: LocalKit) -> None:
    first = kit.serve(1)
    second = reserve_port()

    def prepare() -> None:
        kit.host.route_traffic(KEY, 1, first)

    def move() -> None:
        kit.host.route_traffic(KEY, 1, second)

    def check() -> None:
        local = kit.host.describe_deployment(KEY)
        assert (local.port, local.is_forwarding, ask_version(second)) == (second, True, "1")
        with pytest.raises(ConnectionRefusedError):
            ask_version(first)
        assert kit.inventory.list_orphans() == ()

    assert kill_everywhere(prepare, move, check) >= 3


def test_killed_removal_and_deletion_leave_nothing_when_done_again(kit: LocalKit) -> None:
    def prepare() -> None:
        kit.serve(1)
        kit.serve(2)

    def delete() -> None:
        kit.host.remove_revision(KEY, 1)
        kit.inventory.delete_deployment(KEY)

    def check() -> None:
        assert kit.inventory.list_deployments() == ()
        kit.inventory.delete_orphans()
        assert not (kit.home / "local").exists()

    assert kill_everywhere(prepare, delete, check, stride=3) >= 8
