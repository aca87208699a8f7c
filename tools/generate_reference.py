"""Writes the pages of docs/reference that are made from the code, or says which of them are out of date.

Owns where pages lie; what they say is in `reference_pages`.

    python tools/generate_reference.py            write them
    python tools/generate_reference.py --check    exit code 1 where one differs
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from reference_pages.commands import render_commands
from reference_pages.configuration import render_configuration, render_schema
from reference_pages.environment import render_environment
from reference_pages.errors import render_errors, render_exit_codes
from reference_pages.json_output import render_json_output
from reference_pages.records import render_records
from reference_pages.sandbox import render_sandbox

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
EXAMPLE = "dockyard.example.yaml"


def render_pages(folder: Path) -> Mapping[str, str]:
    """Return each page's name and text; the example in `folder` is part of one."""
    return {
        "cli.md": render_commands(),
        "config.md": render_configuration((folder / EXAMPLE).read_text("utf-8")),
        "dockyard.schema.json": render_schema(),
        "environment.md": render_environment(),
        "errors.md": render_errors(),
        "exit-codes.md": render_exit_codes(),
        "json-output.md": render_json_output(),
        "records.md": render_records(),
        "sandbox.md": render_sandbox(),
    }


def find_stale(folder: Path) -> list[str]:
    """Return the names of the pages that differ from the code."""
    return [name for name, text in render_pages(folder).items() if _read(folder / name) != text]


def write_pages(folder: Path) -> None:
    """Write all pages."""
    for name, text in render_pages(folder).items():
        (folder / name).write_text(text, "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description="Make docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is out of date")
    if not parser.parse_args(arguments).check:
        write_pages(REFERENCE)
        return 0
    stale = find_stale(REFERENCE)
    for name in stale:
        print(f"docs/reference/{name}: out of date; run `python tools/generate_reference.py`")
    return 1 if stale else 0


def _read(file: Path) -> str | None:
    return file.read_text("utf-8") if file.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
