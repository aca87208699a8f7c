"""Writes the table of values in helm/tracking/README.md from values.yaml, or says that it is out of date.

Owns reading values.yaml as it is laid out there: a comment stands above the key that it describes. The rest of the README is
written by hand.

    python tools/chart_readme.py            write it
    python tools/chart_readme.py --check    exit code 1 where it differs
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from reference_pages.markdown import code, table

CHART = Path(__file__).resolve().parents[1] / "helm" / "tracking"
START, END = "<!-- Made by tools/chart_readme.py from values.yaml. -->", "<!-- End of what was made. -->"
_LINE = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z0-9]+):(?: (?P<value>.+))?$")


def read_values(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, description and default of each value that has a description."""
    comment: list[str] = []
    parent = ""
    for line in text.partition("\n")[2].splitlines():
        found = _LINE.fullmatch(line)
        if line.lstrip().startswith("# "):
            comment.append(line.lstrip("# "))
        elif found and not found["indent"] and not comment:
            parent = found["key"]
        elif found and comment:
            path = f"{parent}.{found['key']}" if found["indent"] else found["key"]
            yield path, " ".join(comment), found["value"] or "see values.yaml"
            comment = []


def render_readme(chart: Path) -> str:
    """The README with the table as it has to be."""
    before, _, rest = (chart / "README.md").read_text("utf-8").partition(START)
    values = read_values((chart / "values.yaml").read_text("utf-8"))
    rows = [(code(path), description, code(default)) for path, description, default in values]
    return f"{before}{START}\n\n{table(('value', 'what', 'default'), rows)}\n\n{END}{rest.partition(END)[2]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check. Returns the exit code."""
    parser = argparse.ArgumentParser(description="The table of values in the chart's README.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 where it differs")
    is_check = parser.parse_args(arguments).check
    text = render_readme(CHART)
    if text == (CHART / "README.md").read_text("utf-8"):
        return 0
    if is_check:
        print("helm/tracking/README.md is out of date: run tools/chart_readme.py")
        return 1
    (CHART / "README.md").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
