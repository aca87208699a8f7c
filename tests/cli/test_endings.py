"""Claims about how a call ends: exit codes, errors, tracebacks, interrupts, readers that go away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dockyard.cli.main import main
from dockyard.domain.errors import BuildError, CancelledError, DockyardError, PartialError, UsageError
from support import results
from support.fake_kit import CommandLine


@pytest.mark.parametrize(
    ("changes", "arguments", "code"),
    [
        ({}, ["deploy", "local", "-m", "wine"], 0),
        ({"deployed": results.UNCHANGED}, ["deploy", "local", "-m", "wine"], 0),
        ({"deployed": results.PARTIAL}, ["deploy", "local", "-m", "wine"], 3),
        ({}, ["deploy", "local", "-m", "wine", "--plan"], 0),
        ({}, ["deploy", "local", "-m", "wine", "--plan", "--detailed-exitcode"], 4),
        ({}, ["deploy", "local", "-m", "wine", "--detailed-exitcode"], 0),
        ({}, ["rollback", "wine", "--plan", "--detailed-exitcode"], 4),
        ({}, ["delete", "wine", "--plan", "--detailed-exitcode"], 4),
        ({}, ["drift"], 4),
        ({}, ["doctor"], 0),
        ({"examined": results.SICK}, ["doctor"], 1),
        ({}, ["sync"], 0),
        ({"synced": results.HALF_SYNCED}, ["sync"], 3),
        ({"synced": results.NOT_SYNCED}, ["sync"], 1),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_exit_codes(
    dockyard: CommandLine, changes: dict[str, object], arguments: list[str], code: int, form: list[str]
) -> None:
    assert dockyard.returning(**changes)(*arguments, *form).code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BuildError("build-failed", "m"), 1),
        (UsageError("model-not-found", "m"), 2),
        (PartialError("record-pending", "m"), 3),
        (CancelledError("cancelled", "m"), 130),
        (KeyboardInterrupt(), 130),
        (RuntimeError("boom"), 1),
    ],
)
def test_an_error_decides_the_exit_code(dockyard: CommandLine, error: BaseException, code: int) -> None:
    assert dockyard.returning(error=error)("status").code == code


def test_an_error_is_shown_with_code_details_and_hint(dockyard: CommandLine) -> None:
    error = BuildError("build-failed", "the engine could not build `wine`", hint="see the log", details=("line 1", "line 2"))
    ended = dockyard.returning(error=error)("deploy", "local", "-m", "wine")
    assert ended.out == ""
    assert ended.err == "error[build-failed]: the engine could not build `wine`\n  line 1\n  line 2\n\nhint: see the log\n"


def test_an_error_without_hint_ends_after_its_message(dockyard: CommandLine) -> None:
    assert dockyard.returning(error=DockyardError("docker-failed", "m"))("status").err == "error[docker-failed]: m\n"


def test_a_defect_is_told_in_one_line_without_its_text(dockyard: CommandLine) -> None:
    ended = dockyard.returning(error=RuntimeError("password=hunter2"))("status")
    assert ended.err.startswith("error[internal-error]: unexpected RuntimeError at fake_kit.py:")
    assert "hunter2" not in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("error", [RuntimeError("boom"), BuildError("build-failed", "m")])
def test_verbose_shows_the_traceback_too(dockyard: CommandLine, error: Exception) -> None:
    ended = dockyard.returning(error=error)("status", "-v")
    assert ended.err.startswith("Traceback (most recent call last)")
    assert "error[" in ended.err


def test_interrupt_says_so_and_no_more(dockyard: CommandLine) -> None:
    ended = dockyard.returning(error=KeyboardInterrupt())("status")
    assert ended.err.startswith("error[cancelled]: interrupted\n")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("arguments", [[], ["deploy"], ["config"]], ids=" ".join)
def test_without_a_command_the_help_is_the_answer_on_stderr_and_the_exit_code_is_2(
    dockyard: CommandLine, arguments: list[str]
) -> None:
    ended, asked = dockyard(*arguments), dockyard(*arguments, "--help")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == asked.out
    assert ended.err.startswith(" ".join(["Usage: dockyard", *arguments]))
    assert dockyard.kit.calls == []


def test_deploy_without_a_target_shows_the_targets() -> None:
    script = Path(sys.executable).with_name("deploy")
    ended = subprocess.run([script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: deploy")
    assert "local" in ended.stderr
    assert "error[" not in ended.stderr


def test_the_command_runs_in_a_thread_too(dockyard: CommandLine) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(dockyard("status").code))
    thread.start()
    thread.join()
    assert codes == [0]


_PROGRAM = """
import sys, os, signal
sys.path[:0] = {path!r}
from support.fake_kit import FakeKit
from dockyard.cli.main import main
class Kit(FakeKit):
    def sync(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return super().sync()
    def logs(self, *args, **more):
        return iter("line of a log " * 50 for _ in range(100_000))
sys.exit(main(open_kit=Kit().open))
"""


def _start(*arguments: str, stdout: int | None = subprocess.PIPE) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    program = _PROGRAM.format(path=[str(root / "src"), str(root / "tests")])
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


def test_sigterm_ends_a_command_as_ctrl_c_does() -> None:
    process = _start("sync")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "error[cancelled]: interrupted" in err


def test_the_handler_of_sigterm_is_put_back(dockyard: CommandLine) -> None:
    before = signal.getsignal(signal.SIGTERM)
    dockyard("status")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    process = _start("logs", "wine")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("line of a log")
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


def test_text_that_the_terminal_cannot_show_is_escaped() -> None:
    program = "import sys; sys.argv[1:] = ['predict', 'wine']\n" + _PROGRAM.format(
        path=[str(Path(__file__).parents[2] / name) for name in ("src", "tests")]
    )
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stdout) == (0, '{"predictions": [5.5, "\\u00e9"]}\n')


def test_an_error_that_nobody_reads_keeps_its_exit_code() -> None:
    process = _start("status", "--nothing", stdout=None)
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(timeout=60) == 2


def test_a_working_folder_that_was_removed_is_no_defect(tmp_path: Path) -> None:
    gone, script = tmp_path / "gone", tmp_path / "script.py"
    gone.mkdir()
    path = [str(Path(__file__).parents[2] / name) for name in ("src", "tests")]
    script.write_text("import os; os.chdir({0!r}); os.rmdir({0!r})\n".format(str(gone)) + _PROGRAM.format(path=path))
    done = subprocess.run([sys.executable, script, "status"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_real_kit_is_opened_where_none_is_given(dockyard: CommandLine) -> None:
    dockyard.capture.readouterr()
    assert main(["status"]) == 0
    captured = dockyard.capture.readouterr()
    assert (captured.out, captured.err) == ("", "there is no deployment\n")
    assert main(["logs", "wine", "--json"]) == 2
    assert '"deployment-not-found"' in dockyard.capture.readouterr().out
