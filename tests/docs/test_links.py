"""Links between the project's pages lead to files and headings that are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from support.console import ROOT

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)">')


def find_broken_links(page: Path) -> list[str]:
    """Links of a page to other pages or headings that lead nowhere; those to other sites are not looked at."""
    targets = _LINK.findall(_CODE.sub("", page.read_text()))
    return [target for target in targets if not re.match(r"[a-z]+:", target) and not _leads(page, target)]


def _leads(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    return there.exists() and (not anchor or anchor in _list_anchors(there))


def _list_anchors(page: Path) -> set[str]:
    text = page.read_text()
    headings = _HEADING.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    return set(_ANCHOR.findall(text)) | {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def _list_pages() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(listed.stdout.splitlines())


@pytest.mark.parametrize("name", _list_pages())
def test_every_link_of_the_page_leads_somewhere(name: str) -> None:
    assert find_broken_links(ROOT / name) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text('# A heading, with `code`\n<a id="named"></a>\n')
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#a-heading-with-code) [c](there.md#named) [d](https://example.org/x) `[e](nowhere)`\n"
        "[f](gone.md) [g](there.md#gone) [h](#gone)\n"
    )

    assert find_broken_links(page) == ["gone.md", "there.md#gone", "#gone"]
