"""What CI runs: both suites, whatever becomes of the first, and one last line that agrees with the exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands in for make: reports for the named target what the variable says, as "EXIT_CODE TESTS FAILURES" ("-": no report).
MAKE = """#!/bin/bash
target=${!#}
name=${target//-/_}
read -r code tests failures <<<"${!name}"
echo "make $target with CI=$CI"
mkdir -p build/reports
report="<testsuites><testsuite tests='$tests' failures='$failures'/></testsuites>"
[ "$tests" = - ] || echo "$report" >"build/reports/$target.xml"
[ -z "${alone:-}" ] || [ "$target" = test ] || echo "${report/"'$tests'"/"'$alone'"}" >"build/reports/$target.alone.xml"
exit "$code"
"""


def run_ci(folder: Path, test: str, test_lab: str) -> subprocess.CompletedProcess[str]:
    for name in (".ci/run", "tools/count_results.py"):
        (folder / name).parent.mkdir()
        shutil.copy(ROOT / name, folder / name)
    make = folder / "bin" / "make"
    make.parent.mkdir()
    make.write_text(MAKE)
    make.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if name != "CI"}
    environ |= {"PATH": f"{make.parent}:{environ['PATH']}", "test": test, "test_lab": test_lab}
    command = [folder / ".ci" / "run"]
    return subprocess.run(command, cwd="/", env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


@pytest.mark.process
@pytest.mark.parametrize(
    ("test", "test_lab", "line", "code"),
    [
        pytest.param("0 10 0", "0 5 0", "15 passed, 0 failed", 0, id="all-well"),
        pytest.param("1 10 2", "0 5 0", "13 passed, 2 failed", 1, id="tests-failed"),
        pytest.param("0 10 0", "1 5 1", "14 passed, 1 failed", 1, id="lab-tests-failed"),
        pytest.param("2 10 0", "0 5 0", "15 passed, 1 failed", 1, id="gate-failed"),
        pytest.param("0 10 0", "2 - -", "10 passed, 1 failed", 1, id="lab-did-not-start"),
        pytest.param("2 - -", "2 - -", "0 passed, 2 failed", 1, id="no-environment"),
    ],
)
def test_ci_runs_both_suites_and_ends_with_their_sum(test: str, test_lab: str, line: str, code: int, tmp_path: Path) -> None:
    result = run_ci(tmp_path, test, test_lab)
    lines = result.stdout.splitlines()
    assert (lines[-1], result.returncode) == (line, code)
    assert "make test with CI=true" in lines
    assert "make test-lab with CI=true" in lines


@pytest.mark.process
def test_ci_counts_those_that_could_not_run_beside_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("alone", "3")
    assert run_ci(tmp_path, "0 10 0", "0 5 0").stdout.splitlines()[-1] == "18 passed, 0 failed"


@pytest.mark.process
def test_ci_does_not_take_an_old_report_for_this_runs(tmp_path: Path) -> None:
    (tmp_path / "build" / "reports").mkdir(parents=True)
    (tmp_path / "build" / "reports" / "test.xml").write_text("<testsuites><testsuite tests='99'/></testsuites>")
    assert run_ci(tmp_path, "2 - -", "0 5 0").stdout.splitlines()[-1] == "5 passed, 1 failed"
