"""The supervisor as a program: what it logs, tells and gives up on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockyard.adapters.local.daemon import end_holder, find_holder
from dockyard.adapters.local.launch import Launch, Phase, Status, read_status, write_launch
from dockyard.adapters.local.layout import RevisionFolder
from dockyard.adapters.local.logfile import read_log
from dockyard.adapters.local.programs import start_program
from support.local_kit import STAND_IN
from support.patience import wait_for

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("measured_programs")]

PROGRAM = "dockyard.adapters.local.supervisor"


@contextmanager
def supervised(folder: Path, code: str | None = None, **changes: object) -> Iterator[RevisionFolder]:
    """A supervisor of the stand-in, or of a line of Python."""
    revision = RevisionFolder(path=folder)
    command = (sys.executable, "-S", str(STAND_IN)) if code is None else (sys.executable, "-S", "-c", code)
    defaults: dict[str, object] = {
        "command": command,
        "env": {"DOCKYARD_HOST": "127.0.0.1"},
        "cwd": str(folder),
        "host": "127.0.0.1",
        "grace_seconds": 2,
        "first_pause_seconds": 0.05,
    }
    write_launch(revision.launch, Launch(**{**defaults, **changes}))  # type: ignore[arg-type]
    start_program(PROGRAM, (str(folder),), folder=folder, log=revision.log)
    try:
        yield revision
    finally:
        end_holder(revision.pid_file, grace_seconds=10)


def status_of(revision: RevisionFolder) -> Status:
    status = read_status(revision.status)
    assert status is not None
    return status


def phase_of(revision: RevisionFolder) -> Phase:
    return status_of(revision).phase


def log_of(revision: RevisionFolder) -> list[str]:
    return list(read_log(revision.log, tail=10_000))


def scorers_of(revision: RevisionFolder) -> list[int]:
    supervisor = find_holder(revision.pid_file)
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text()
    return [int(pid) for pid in children.split()]


def test_started_program_stands_when_the_call_returns(tmp_path: Path) -> None:
    with supervised(tmp_path) as revision:
        assert find_holder(revision.pid_file) is not None
        assert status_of(revision).port > 0
    assert find_holder(revision.pid_file) is None
    assert not revision.status.exists(), "a revision that was stopped has no status"


def test_second_supervisor_of_a_revision_gives_way(tmp_path: Path) -> None:
    with supervised(tmp_path) as revision:
        first = find_holder(revision.pid_file)
        assert not start_program(PROGRAM, (str(tmp_path),), folder=tmp_path, log=revision.log)
        assert find_holder(revision.pid_file) == first


def test_scorer_that_ends_before_it_is_ready_is_not_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path, "print('last words'); raise SystemExit(5)") as revision:
        wait_for(lambda: find_holder(revision.pid_file) is None)
        assert (phase_of(revision), status_of(revision).exit_code) == (Phase.FAILED, 5)
        assert log_of(revision) == ["last words", "[dockyard] the scorer ended, exit code 5"]


def test_program_that_is_not_there_has_failed_and_the_log_says_so(tmp_path: Path) -> None:
    with supervised(tmp_path, command=("/nowhere/python",)) as revision:
        wait_for(lambda: find_holder(revision.pid_file) is None)
        assert (phase_of(revision), status_of(revision).exit_code) == (Phase.FAILED, 127)
        assert log_of(revision) == ["[dockyard] the scorer cannot be started: No such file or directory"]


def test_scorer_that_crashes_over_and_over_is_told_as_failed_and_tried_on(tmp_path: Path) -> None:
    with supervised(tmp_path, first_pause_seconds=0.1) as revision:
        wait_for(lambda: phase_of(revision) is Phase.READY)
        port = status_of(revision).port
        for phase in (Phase.RESTARTING, Phase.RESTARTING, Phase.FAILED):
            (scorer,) = scorers_of(revision)
            os.kill(scorer, signal.SIGKILL)
            wait_for(lambda wanted=phase: phase_of(revision) is wanted)  # type: ignore[misc]
            wait_for(lambda: phase_of(revision) is Phase.READY)
        assert status_of(revision) == Status(phase=Phase.READY, port=port, restarts=3)
        said = [line for line in log_of(revision) if line.startswith("[dockyard]")]
        assert said[-2:] == ["[dockyard] the scorer ended, killed by signal 9", "[dockyard] it is started again in 0.4 s"]


def test_log_is_kept_within_its_size(tmp_path: Path) -> None:
    chatter = "for number in range(5000): print(f'line {number:06}')"
    with supervised(tmp_path, chatter, log_bytes=20_000) as revision:
        wait_for(lambda: find_holder(revision.pid_file) is None)
        sizes = [path.stat().st_size for path in tmp_path.glob("output.log*")]
        assert len(sizes) == 2
        assert max(sizes) < 20_000 + 65_536
        assert log_of(revision)[-2:] == ["line 004999", "[dockyard] the scorer ended, exit code 0"]


def test_what_a_scorer_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    code = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    with supervised(tmp_path, code) as revision:
        wait_for(lambda: find_holder(revision.pid_file) is None)
        child = int(log_of(revision)[0])
        wait_for(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2])


def test_scorer_that_closes_its_output_is_kept(tmp_path: Path) -> None:
    code = f"import os, runpy; os.close(1); os.close(2); os.open('/dev/null', 1); runpy.run_path({str(STAND_IN)!r})"
    with supervised(tmp_path, code) as revision:
        wait_for(lambda: phase_of(revision) is Phase.READY)
        supervisor = find_holder(revision.pid_file)
        before = os.times()
        ticks = int(Path(f"/proc/{supervisor}/stat").read_text().split()[13])
        wait_for(lambda: os.times().elapsed - before.elapsed > 1)
        assert int(Path(f"/proc/{supervisor}/stat").read_text().split()[13]) - ticks < 20, "it does not spin"


def test_supervisor_is_small(tmp_path: Path) -> None:
    with supervised(tmp_path) as revision:
        status = Path(f"/proc/{find_holder(revision.pid_file)}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        assert resident < 25_000 or "COVERAGE_PROCESS_CONFIG" in os.environ, f"{resident} kB"
        maps = Path(f"/proc/{find_holder(revision.pid_file)}/maps").read_text()
        assert "pydantic" not in maps
