"""Adds up what several test runs reported: one line, `N passed, N failed`.

Owns the reading of JUnit reports. A run that failed without a failed test (a gate, a crash, no report) counts as one failed,
so that the line and the exit code never disagree. Standard library only: it runs where the environment could not be made.

    python tools/count_results.py EXIT_CODE:REPORT.xml ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET


def count_report(report: Path) -> tuple[int, int]:
    """Passed and failed tests of one report; skipped ones count as failed. (0, 0) where there is none."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - our own test runner wrote it
    except (OSError, ET.ParseError):
        return 0, 0
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    failed = sum(int(suite.get(kind, 0)) for suite in suites for kind in ("failures", "errors", "skipped"))
    return total - failed, failed


def count_runs(runs: Iterable[str]) -> tuple[int, int]:
    """Sum over EXIT_CODE:REPORT. A run that passed nothing and failed nothing proves nothing: one failed."""
    passed = failed = 0
    for run in runs:
        code, _, report = run.partition(":")
        good, bad = count_report(Path(report))
        passed += good
        failed += bad or int(code != "0" or good == 0)
    return passed, failed


def main(runs: list[str]) -> int:
    passed, failed = count_runs(runs)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
