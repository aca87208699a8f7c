"""Accidents: what is killed is seen, comes back or can be brought back, and takes nothing else along."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard.adapters.local.daemon import find_holder
from dockyard.domain.deployment import RevisionStatus
from support.local_kit import LocalKit, ask, ask_version, build_stand_in, leaving_nothing, open_kit
from support.local_values import KEY
from support.patience import wait_for

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("measured_programs")]


@pytest.fixture
def kit(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKit]:
    opened = open_kit(tmp_path, build_stand_in(tmp_path_factory.mktemp("images")))
    with leaving_nothing(opened):
        yield opened


def test_crashed_scorer_comes_back_on_its_port_and_requests_wait_for_it(kit: LocalKit) -> None:
    port = kit.serve(1)
    address = kit.find(1)
    with pytest.raises(AssertionError, match="not-serving"):
        ask(port, {"crash": True})
    assert ask_version(port) == "1", "it was refused at first, and waited"
    assert kit.find(1) == address
    lines = list(kit.inventory.read_logs(KEY, 1, follow=False, tail=50))
    assert "[dockyard] the scorer ended, exit code 9" in lines


def test_killed_supervisor_takes_its_scorer_along_and_the_revision_can_be_started_again(kit: LocalKit) -> None:
    port = kit.serve(1)
    scorer = ask(port)["pid"]
    supervisor = find_holder(kit.folder.revision(1).pid_file)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: kit.find(1).status is RevisionStatus.FAILED)
    wait_for(lambda: not Path(f"/proc/{scorer}").exists())
    kit.start(1)
    assert ask_version(port) == "1", "the route follows the revision to its new port"


def test_killed_forwarder_is_seen_and_started_again(kit: LocalKit) -> None:
    port = kit.serve(1)
    forwarder = find_holder(kit.folder.forwarder_pid_file(port))
    assert forwarder is not None
    os.kill(forwarder, signal.SIGKILL)
    wait_for(lambda: not kit.host.describe_deployment(KEY).is_forwarding)
    kit.host.route_traffic(KEY, 1, port)
    assert ask_version(port) == "1"


def test_scorer_that_does_not_end_is_killed_when_its_grace_is_over(kit: LocalKit) -> None:
    kit.start(1, "deaf", grace_seconds=1)
    kit.host.stop_revision(KEY, 1)
    assert kit.find(1).status is RevisionStatus.STOPPED


def test_processes_end_when_their_folder_is_gone(kit: LocalKit) -> None:
    port = kit.serve(1)

    shutil.rmtree(kit.home / "local")
    from support.local_kit import find_processes

    wait_for(lambda: find_processes(kit.home) == [])
    with pytest.raises(ConnectionRefusedError):
        ask(port)


def test_scorer_sees_the_images_packages_and_little_else(kit: LocalKit) -> None:
    answer = ask(kit.serve(1))
    variables = answer["variables"]
    assert isinstance(variables, list)
    expected = {"PORT", "DOCKYARD_HOST", "DOCKYARD_MODEL", "DOCKYARD_REVISION", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "STAND_IN"}
    assert expected <= set(variables)
    unasked = {name for name in variables if not name.startswith(("DOCKYARD_", "STAND_IN", "PYTHON", "LC_", "SSL_"))}
    assert unasked <= {"PATH", "LANG", "TZ", "HOME", "TMPDIR", "PORT"}
    assert str(answer["cwd"]).endswith("/revisions/1/work")
