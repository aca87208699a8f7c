"""The sum over test runs: what counts as failed, and that line and exit code agree."""

from __future__ import annotations

from pathlib import Path

import pytest

import count_results


def write_report(file: Path, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> str:
    counts = f'tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    file.write_text(f'<?xml version="1.0"?><testsuites><testsuite name="pytest" {counts}/></testsuites>', encoding="utf-8")
    return str(file)


def test_runs_are_added_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = write_report(tmp_path / "a.xml", 10), write_report(tmp_path / "b.xml", 5)
    assert count_results.main([f"0:{first}", f"0:{second}"]) == 0
    assert capsys.readouterr().out == "15 passed, 0 failed\n"


def test_failures_errors_and_skipped_tests_count_as_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = write_report(tmp_path / "a.xml", 10, failures=1, errors=2, skipped=3)
    assert count_results.main([f"1:{report}"]) == 1
    assert capsys.readouterr().out == "4 passed, 6 failed\n"


def test_failed_run_without_a_failed_test_counts_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = write_report(tmp_path / "a.xml", 10)
    assert count_results.main([f"2:{report}"]) == 1
    assert capsys.readouterr().out == "10 passed, 1 failed\n"


@pytest.mark.parametrize("content", [None, "", "<testsuites>", '<testsuites><testsuite tests="0"/></testsuites>'])
def test_run_that_reports_nothing_counts_as_failed(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "a.xml"
    if content is not None:
        report.write_text(content, encoding="utf-8")
    assert count_results.main([f"0:{report}"]) == 1
    assert capsys.readouterr().out == "0 passed, 1 failed\n"
