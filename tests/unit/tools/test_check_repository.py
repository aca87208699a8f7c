"""The repository check: whole-file rules at their edges, where findings point, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

import check_repository
from leaks import Machine

MACHINE = Machine(index_hosts=frozenset(), folders=frozenset())


def findings_of(path: str, content: bytes) -> list[str]:
    return list(check_repository.check_file(path, content, MACHINE))


def test_plain_text_is_clean() -> None:
    assert findings_of("docs/page.md", "# Grüße\n\ttab at the start\n".encode()) == []


def test_file_may_have_a_million_bytes_and_no_more() -> None:
    million = (b"1" * 99 + b"\n") * 10_000
    assert findings_of("data.csv", million) == []
    assert findings_of("data.csv", million + b"\n") == ["data.csv:1: file has 1000001 bytes, at most 1000000"]


def test_text_that_is_not_utf_8_is_found_at_its_line() -> None:
    assert findings_of("page.md", "one\ntwo\ngrün\n".encode("latin-1")) == ["page.md:3: not UTF-8"]


def test_picture_need_not_be_text_but_must_be_small() -> None:
    assert findings_of("plot.png", b"\x89PNG\r\n\x1a\n \n") == []
    assert len(findings_of("plot.png", b"\xff" * 1_000_001)) == 1


def test_carriage_return_is_found_at_its_line() -> None:
    assert findings_of("a.txt", b"one\ntwo\r\n") == ["a.txt:2: line ends with a carriage return"]


@pytest.mark.parametrize("end", [b" ", b"\t", b"  "])
def test_white_space_at_the_end_of_a_line_is_found(end: bytes) -> None:
    assert findings_of("a.txt", b"one" + end + b"\ntwo\n") == ["a.txt:1: white space at the end of the line"]
    assert findings_of("a.txt", b"one\ntwo" + end) == ["a.txt:2: white space at the end of the line"]


def test_leak_is_found_at_its_line() -> None:
    content = "one\ncat /ro" + "ot/.netrc\n"
    assert findings_of("a.txt", content.encode()) == ["a.txt:2: path of somebody's machine"]


@pytest.mark.parametrize("name", ["3.added.md", "12.fixed.md", "4.changed.md", "5.removed.md", "3.added.1.md", "README.md"])
def test_fragment_with_issue_and_kind_is_taken(name: str) -> None:
    assert findings_of(f"changelog.d/{name}", b"Text.\n") == []


@pytest.mark.parametrize("name", ["added.md", "3.md", "3.new.md", "3.added.txt", "3.added.md.bak", "3.added.x.md"])
def test_fragment_that_the_changelog_would_miss_is_found(name: str) -> None:
    (found,) = findings_of(f"changelog.d/{name}", b"Text.\n")
    assert found.startswith(f"changelog.d/{name}:1: a changelog fragment is named")


def test_links_and_files_that_are_gone_have_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"one \n")
    (tmp_path / "link.txt").symlink_to("bad.txt")
    paths = ["link.txt", "gone.txt", "bad.txt"]
    found = list(check_repository.check_files(tmp_path, paths, MACHINE))
    assert found == ["bad.txt:1: white space at the end of the line"]


def test_findings_are_printed_and_fail_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.txt").write_bytes(b"one \n")
    assert check_repository.main(["--root", str(tmp_path), "bad.txt"]) == 1
    assert capsys.readouterr().out == ("bad.txt:1: white space at the end of the line\n1 files checked, 1 findings\n")


def test_clean_files_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.txt").write_bytes(b"one\n")
    assert check_repository.main(["--root", str(tmp_path), "good.txt"]) == 0
    assert capsys.readouterr().out == "1 files checked, 0 findings\n"
