"""`dockyard sandbox up` and `down`: a daemon that answers, is there once, and leaves nothing, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from dockyard.adapters.local.daemon import find_holder
from support.patience import wait_for

pytestmark = pytest.mark.process

DOCKYARD = str(Path(sys.executable).parent / "dockyard")
UP = ("up", "--runner", "unpacked", "--port", "0")


@dataclass(frozen=True, kw_only=True)
class Home:
    """A home of its own, and the command on it."""

    path: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environ, capture_output=True, text=True, timeout=90, check=False
        )

    def command(self, *arguments: str) -> list[str]:
        return [DOCKYARD, "sandbox", *arguments]

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DOCKYARD_"))}
        return {**kept, "XDG_STATE_HOME": str(self.path / "state"), "XDG_CACHE_HOME": str(self.path / "cache")}

    @property
    def folder(self) -> Path:
        return self.path / "state" / "dockyard" / "sandbox"

    def find_processes(self) -> list[int]:
        """The daemon, and the processes that it has started."""
        daemon = find_holder(self.folder / "pid")
        return [] if daemon is None else [daemon, *find_children(daemon)]


def find_children(parent: int) -> list[int]:
    children = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"\nPPid:\t{parent}\n" in (entry / "status").read_text():
                children.append(int(entry.name))
        except OSError:
            continue
    return children


def are_gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(path=tmp_path)
    yield made
    made.run("down")
    assert not made.folder.exists()


def test_sandbox_comes_up_once_answers_and_leaves_nothing(home: Home) -> None:
    first = home.run(*UP)
    assert first.returncode == 0, first.stderr
    exported = dict(line.removeprefix("export ").split("=", 1) for line in first.stdout.splitlines())
    s3 = boto3.client(
        "s3",
        endpoint_url=exported["AWS_ENDPOINT_URL_S3"],
        region_name=exported["AWS_REGION"],
        aws_access_key_id=exported["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exported["AWS_SECRET_ACCESS_KEY"],
    )
    s3.create_bucket(Bucket="bucket")
    again = home.run("up", "--json")
    assert json.loads(again.stdout)["status"] == "unchanged"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["bucket"]
    assert home.run("status").stdout.strip() == exported["AWS_ENDPOINT_URL"]
    s3.close()
    processes = home.find_processes()
    assert len(processes) == 2
    assert home.run("down").returncode == 0
    wait_for(lambda: are_gone(processes))
    assert not home.folder.exists()


def test_sandbox_that_was_killed_leaves_nothing_after_down_or_a_new_up(home: Home) -> None:
    for command in (("down",), UP):
        assert home.run(*UP).returncode == 0
        processes = home.find_processes()
        os.kill(processes[0], signal.SIGKILL)
        wait_for(lambda processes=processes: are_gone(processes))  # type: ignore[misc]  # moto ends by itself
        assert home.run("status").stdout == ""
        assert home.run(*command).returncode == 0
    assert len(home.find_processes()) == 2


def test_those_who_start_one_at_once_get_the_same(home: Home) -> None:
    all_three = [subprocess.Popen(home.command(*UP), env=home.environ, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = [process.communicate(timeout=90)[0] for process in all_three]
    assert [process.returncode for process in all_three] == [0, 0, 0]
    assert len({*printed}) == 1, printed
    assert printed[0] != ""


def test_sandbox_that_cannot_start_says_why(home: Home) -> None:
    environ = {**home.environ, "DOCKER_HOST": f"unix://{home.path}/nobody.sock"}
    command = home.command("up", "--runner", "docker", "--port", "0")
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 1
    assert "error[sandbox-failed]" in ended.stderr
    assert "no Docker engine of this machine answers" in ended.stderr
    assert home.find_processes() == []
