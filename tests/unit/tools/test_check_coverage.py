"""The coverage gate: each limit at its edge, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import check_coverage
from check_coverage import File, Report

WHOLE: File = {"missing_lines": [], "missing_branches": []}


def report_of(percent: float = 90.0, **files: File) -> Report:
    """A report in which both pure layers are covered, but for what is given by layer."""
    layers = {"domain": WHOLE, "planning": WHOLE} | files
    paths = {f"src/dockyard/{layer}/thing.py": file for layer, file in layers.items()}
    return {"totals": {"percent_covered": percent}, "files": paths}


def test_ninety_percent_and_whole_layers_pass() -> None:
    assert list(check_coverage.check_report(report_of(90.0))) == []


def test_less_than_ninety_percent_is_told() -> None:
    assert list(check_coverage.check_report(report_of(89.99))) == ["overall coverage is 89.99 %, at least 90 %"]


def test_line_of_the_planner_that_never_ran_is_named() -> None:
    report = report_of(99.0, planning={"missing_lines": [7], "missing_branches": []})
    assert list(check_coverage.check_report(report)) == ["src/dockyard/planning/thing.py:7: never run"]


def test_branch_of_the_domain_that_never_was_taken_is_named() -> None:
    report = report_of(99.0, domain={"missing_lines": [], "missing_branches": [[3, 9], [4, -1]]})
    assert list(check_coverage.check_report(report)) == [
        "src/dockyard/domain/thing.py:3: never goes on to line 9",
        "src/dockyard/domain/thing.py:4: never goes on to the end",
    ]


def test_other_layers_need_not_be_whole() -> None:
    report = report_of(95.0, adapters={"missing_lines": [1, 2], "missing_branches": [[1, 2]]})
    assert list(check_coverage.check_report(report)) == []


def test_layer_that_was_not_measured_is_told() -> None:
    report: Report = {"totals": {"percent_covered": 99.0}, "files": {}}
    assert list(check_coverage.check_report(report)) == [
        "src/dockyard/domain/: nothing was measured",
        "src/dockyard/planning/: nothing was measured",
    ]


@pytest.mark.parametrize(("percent", "code"), [(95.0, 0), (50.0, 1)])
def test_exit_code_tells_whether_the_gate_is_open(
    percent: float, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "coverage.json"
    file.write_text(json.dumps(report_of(percent)), encoding="utf-8")
    assert check_coverage.main([str(file)]) == code
    assert f"coverage: {percent:.2f} %, {code} findings" in capsys.readouterr().out
