"""Which branches of a chart's templates are gone through: every `if` and `with` both ways, every `range` at least once.

Owns a copy of the templates with a mark in each branch, which is seen in what Helm renders of it. What the templates `fail`
with is left out there, so that refused values show their branches too. Must not change the chart.

    python tools/template_branches.py helm/tracking --values FILE [--values FILE …]     exit code 1 where one is not taken
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_ACTION = re.compile(r"\{\{(?P<trim>-?)\s*(?P<code>/\*.*?\*/|.*?)\s*-?\}\}", re.DOTALL)
_MARK = re.compile(r"~(\d+)~")
_BRANCHING = ("if", "with", "range")


@dataclass(slots=True)
class _Open:
    """A block that has not ended yet."""

    keyword: str
    title: str
    has_else: bool = False


@dataclass(slots=True)
class Instrumented:
    """Templates with marks. The number in a mark is the place of its branch in `branches`."""

    branches: list[str] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)

    def mark(self, title: str) -> str:
        """A mark of a further branch."""
        self.branches.append(title)
        return f"~{len(self.branches) - 1}~"

    def rewrite(self, text: str, file: str) -> str:
        """One template with its marks."""
        return _ACTION.sub(
            lambda found: self._rewrite_action(found, f"{file}:{text.count(chr(10), 0, found.start()) + 1}"), text
        )

    def _rewrite_action(self, found: re.Match[str], place: str) -> str:
        code, action = found["code"], found[0]
        keyword = code.partition(" ")[0]
        if keyword == "fail":
            return ""
        if keyword in {*_BRANCHING, "define", "block"}:
            self._open.append(_Open(keyword=keyword, title=f"{place} {code}"))
            return action + (self.mark(f"{place} {code}") if keyword in _BRANCHING else "")
        if keyword == "else":
            is_last = code == "else"
            self._open[-1].has_else |= is_last
            return action + self.mark(f"{self._open[-1].title}: else" if is_last else f"{place} {code}")
        if keyword == "end":
            ended = self._open.pop()
            if ended.keyword in {"if", "with"} and not ended.has_else:
                return f"{{{{{found['trim']} else }}}}{self.mark(f'{ended.title}: not')}{action}"
        return action


def instrument(chart: Path, target: Path) -> Sequence[str]:
    """Write a copy of `chart` with marks to `target`, which must not be there. Returns the branches."""
    shutil.copytree(chart, target)
    instrumented = Instrumented()
    for file in sorted((target / "templates").glob("*.*")):
        file.write_text(instrumented.rewrite(file.read_text("utf-8"), file.name), "utf-8")
    return instrumented.branches


def find_taken(helm: Path, chart: Path, arguments: Iterable[Sequence[str]]) -> Iterator[int]:
    """Numbers of branches that the marked chart goes through, by the arguments of each `helm template`."""
    for more in arguments:
        command = [str(helm), "template", str(chart), "--debug", *more]  # --debug: shows what is no YAML any more
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        yield from map(int, _MARK.findall(ended.stdout))


def list_untaken(helm: Path, chart: Path, arguments: Iterable[Sequence[str]]) -> tuple[int, Sequence[str]]:
    """How many branches there are, and those that nothing goes through."""
    with tempfile.TemporaryDirectory() as folder:
        marked = Path(folder) / chart.name
        branches = instrument(chart, marked)
        taken = set(find_taken(helm, marked, arguments))
    return len(branches), [title for number, title in enumerate(branches) if number not in taken]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is not taken. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Branches of a chart's templates that no set of values goes through.")
    parser.add_argument("chart", type=Path)
    parser.add_argument("--helm", type=Path, default=Path("helm"))
    parser.add_argument("--values", type=Path, action="append", default=[])
    asked = parser.parse_args(arguments)
    count, untaken = list_untaken(
        asked.helm, asked.chart, [("--name-template", "team", "--values", str(file)) for file in asked.values]
    )
    print(f"{count - len(untaken)} of {count} branches are taken", *untaken, sep="\n")
    return 1 if untaken else 0


if __name__ == "__main__":
    raise SystemExit(main())
