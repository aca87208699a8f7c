"""Claims about the start: what help costs, and that it loads no SDK."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from support.fake_kit import CommandLine

SDKS = ("mlflow", "boto3", "botocore", "docker", "kubernetes", "matplotlib", "rich", "yaml", "jinja2", "urllib3")
ENTRIES = ("main", "main_deploy")
BUDGET_SECONDS = 0.25


def _run(entry: str, *arguments: str, after: str = "pass") -> subprocess.CompletedProcess[str]:
    program = f"import sys; from dockyard.cli.main import {entry}; code = {entry}({list(arguments)!r}); {after}; sys.exit(code)"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=False)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["local", "--help"]])
def test_help_imports_no_sdk(entry: str, arguments: list[str]) -> None:
    if entry == "main" and arguments[0] == "local":
        arguments = ["deploy", *arguments]
    after = f"print(sorted(name for name in {SDKS!r} if name in sys.modules))"
    done = _run(entry, *arguments, after=after)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("entry", ENTRIES)
def test_help_takes_less_than_250_ms(entry: str) -> None:
    # Processor time, the least of some tries: it is the wall time on a machine that does nothing else.
    assert min(_measure(entry) for _ in range(3)) < BUDGET_SECONDS


def _measure(entry: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert _run(entry, "--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_help_has_no_colours_and_lists_deploy_first(dockyard: CommandLine) -> None:
    ended = dockyard("--help")
    assert ended.code == 0
    assert "\x1b" not in ended.out
    commands = ended.out.partition("Commands:\n")[2].split("\n")
    assert commands[0].split()[0] == "deploy"
    assert not [line for line in commands if line.endswith("...")]


def test_deploy_help_is_that_of_the_command(dockyard: CommandLine) -> None:
    short, long = dockyard.deploy("local", "--help"), dockyard("deploy", "local", "--help")
    assert short.out == long.out.replace("dockyard deploy", "deploy")


def test_the_version_is_told_by_both_scripts(dockyard: CommandLine) -> None:
    assert dockyard("--version").out == dockyard.deploy("--version").out == "dockyard 0.1.0\n"
