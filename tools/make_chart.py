"""Writes the chart helm/model-server from the templates of deploys, or says which of its files are out of date.

python tools/make_chart.py            write it
python tools/make_chart.py --check    exit code 1 where a file differs
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from serving_chart.files import make_chart

CHART = Path(__file__).resolve().parents[1] / "helm" / "model-server"


def find_stale(folder: Path) -> list[str]:
    """Return the files that differ from what the templates give, and those that nothing gives."""
    wanted = make_chart()
    there = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    return sorted(path for path in {*wanted, *there} if wanted.get(path) != there.get(path))


def write_chart(folder: Path) -> None:
    """Write all files, and delete those that nothing gives."""
    wanted = make_chart()
    for path in find_stale(folder):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path in wanted:
            (folder / path).write_text(wanted[path], "utf-8")
        else:
            (folder / path).unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description="Make helm/model-server from the templates of deploys.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is out of date")
    if not parser.parse_args(arguments).check:
        write_chart(CHART)
        return 0
    stale = find_stale(CHART)
    for path in stale:
        print(f"helm/model-server/{path}: out of date; run `python tools/make_chart.py`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
