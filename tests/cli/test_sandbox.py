"""`dockyard sandbox` finds the sandbox of this home, says so in a shell's words, and in exit codes where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard.adapters.local.daemon import hold_pid_file
from dockyard.adapters.sandbox import PID_FILE, STATE_FILE, SandboxDaemon, SandboxState, find_engine_variables, write_state
from support.fake_kit import CommandLine

STATE = SandboxState(
    url="http://127.0.0.1:5566",
    runner="unpacked",
    sandbox_id="abc",
    environment={"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:5566", "ODD": "it's"},
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "dockyard" / "sandbox"


@pytest.fixture
def up(home: Path) -> Iterator[Path]:
    """A home whose sandbox is up, as far as its files say: this test holds the pid file."""
    home.mkdir(parents=True)
    held = hold_pid_file(home / PID_FILE)
    assert held is not None
    write_state(home / STATE_FILE, STATE)
    yield home
    os.close(held)


def test_env_prints_lines_for_a_shell(dockyard: CommandLine, up: Path) -> None:
    ended = dockyard("sandbox", "env")
    assert ended.out.splitlines() == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:5566",
        "export AWS_REGION=us-east-1",
        """export ODD='it'"'"'s'""",
    ]
    assert (ended.code, str(up) in ended.out) == (0, False)
    assert "the sandbox is up at http://127.0.0.1:5566, runner `unpacked`" in ended.err


def test_up_leaves_a_sandbox_that_is_up_as_it_is(dockyard: CommandLine, up: Path) -> None:
    ended = dockyard("sandbox", "up", "--json")
    assert ended.envelope["status"] == "unchanged"
    assert ended.envelope["result"] == {
        "status": "unchanged",
        "is_up": True,
        "url": STATE.url,
        "runner": "unpacked",
        "environment": STATE.environment,
    }
    assert (up / STATE_FILE).exists()


def test_status_prints_the_address(dockyard: CommandLine, up: Path) -> None:
    assert dockyard("sandbox", "status").out == f"{STATE.url}\n"
    assert up.exists()


def test_without_a_sandbox_env_fails_and_status_and_down_do_not(dockyard: CommandLine, home: Path) -> None:
    failed = dockyard("sandbox", "env")
    assert failed.code == 2
    assert "error[sandbox-not-up]" in failed.err
    assert "dockyard sandbox up" in failed.err
    for command in ("status", "down"):
        ended = dockyard("sandbox", command)
        assert (ended.code, ended.out, ended.err) == (0, "", "no sandbox is up\n")
    assert not home.exists()


def test_port_that_is_taken_is_told_before_anything_starts(dockyard: CommandLine, home: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = dockyard("sandbox", "up", "--port", str(taken.getsockname()[1]))
    assert ended.code == 2
    assert "error[port-in-use]" in ended.err
    assert not home.exists()


def test_files_of_a_sandbox_that_was_killed_are_removed(home: Path) -> None:
    home.mkdir(parents=True)
    (home / PID_FILE).write_text("1")
    write_state(home / STATE_FILE, STATE)
    (home / "data").mkdir()
    daemon = SandboxDaemon(home)
    assert daemon.find() is None
    assert daemon.stop() is False
    assert not home.exists()


def test_only_what_says_where_the_engine_is_goes_to_the_daemon() -> None:
    assert find_engine_variables({"DOCKER_HOST": "unix:///x", "SECRET": "x"}) == {"DOCKER_HOST": "unix:///x"}
