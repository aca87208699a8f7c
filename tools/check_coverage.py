"""Holds the tests to the coverage that the project promises: 90 % of all, and every branch of the pure layers.

Owns the two limits. Reads what `coverage json` wrote; measures nothing itself.

    python tools/check_coverage.py COVERAGE.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict

OVERALL_PERCENT = 90.0
COMPLETE = ("src/dockyard/domain/", "src/dockyard/planning/")


class Summary(TypedDict):
    """What is used of coverage's own summary."""

    percent_covered: float


class File(TypedDict):
    """What is used of one file's report; a branch is (from line, to line)."""

    missing_lines: list[int]
    missing_branches: list[list[int]]


class Report(TypedDict):
    """What is used of the whole report."""

    totals: Summary
    files: dict[str, File]


def check_report(report: Report) -> Iterator[str]:
    """Yield one line for each shortfall."""
    percent = report["totals"]["percent_covered"]
    if percent < OVERALL_PERCENT:
        yield f"overall coverage is {percent:.2f} %, at least {OVERALL_PERCENT:.0f} %"
    for folder in COMPLETE:
        measured = {path: file for path, file in report["files"].items() if path.startswith(folder)}
        if not measured:
            yield f"{folder}: nothing was measured"
        yield from check_complete(measured)


def check_complete(files: Mapping[str, File]) -> Iterator[str]:
    """Yield what is missing in files that must be covered in full."""
    for path, file in sorted(files.items()):
        for line in file["missing_lines"]:
            yield f"{path}:{line}: never run"
        for start, end in file["missing_branches"]:
            yield f"{path}:{start}: never goes on to {f'line {end}' if end > 0 else 'the end'}"


def main(paths: list[str]) -> int:
    report: Report = json.loads(Path(paths[0]).read_text(encoding="utf-8"))
    findings = list(check_report(report))
    for finding in findings:
        print(finding)
    percent = report["totals"]["percent_covered"]
    print(f"coverage: {percent:.2f} %, {len(findings)} findings")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
