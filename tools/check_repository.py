"""Checks every tracked file for what must not be in the repository.

Owns the checks of whole files (size, encoding, line ends, names of changelog fragments) and the report; what a single line
must not tell is in `leaks`. Reads only.

    python tools/check_repository.py [FILE ...]     all tracked files by default; exit code 1 where there is a finding
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from leaks import Machine, describe_machine, find_leaks

LARGEST_BYTES = 1_000_000
BINARY_SUFFIXES = frozenset({".gif", ".ico", ".jpg", ".pdf", ".png", ".woff2"})
FRAGMENT = re.compile(r"\d+\.(added|changed|fixed|removed)(\.\d+)?\.md|README\.md")


def list_tracked(root: Path) -> list[str]:
    """Return the paths that git tracks below `root`."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.split("\0") if path]


def check_files(root: Path, paths: Iterable[str], machine: Machine) -> Iterator[str]:
    """Yield one line, `path:line: what`, for each finding. Links, and files that are gone, have nothing to check."""
    for path in paths:
        file = root / path
        if file.is_file() and not file.is_symlink():
            yield from check_file(path, file.read_bytes(), machine)


def check_file(path: str, content: bytes, machine: Machine) -> Iterator[str]:
    """Yield the findings of one file."""
    if len(content) > LARGEST_BYTES:
        yield f"{path}:1: file has {len(content)} bytes, at most {LARGEST_BYTES}"
    folder, _, name = path.rpartition("/")
    if folder == "changelog.d" and not FRAGMENT.fullmatch(name):
        yield f"{path}:1: a changelog fragment is named <issue>.<added|changed|fixed|removed>.md"
    if Path(path).suffix not in BINARY_SUFFIXES:
        yield from check_text(path, content, machine)


def check_text(path: str, content: bytes, machine: Machine) -> Iterator[str]:
    """Yield the findings of a file's lines."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        first_bad = content[: error.start].count(b"\n") + 1
        yield f"{path}:{first_bad}: not UTF-8"
        return
    for number, line in enumerate(text.split("\n"), start=1):
        for finding in [*check_whitespace(line), *find_leaks(path, line, machine)]:
            yield f"{path}:{number}: {finding}"


def check_whitespace(line: str) -> Iterator[str]:
    """Yield what is wrong with the end of a line."""
    if line.endswith("\r"):
        yield "line ends with a carriage return"
    elif line != line.rstrip(" \t"):
        yield "white space at the end of the line"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings; return the exit code."""
    parser = argparse.ArgumentParser(description="Check tracked files for what must not be in the repository.")
    parser.add_argument("paths", nargs="*", metavar="FILE", help="relative to the root; all tracked files by default")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    options = parser.parse_args(arguments)
    paths = options.paths or list_tracked(options.root)
    findings = list(check_files(options.root, paths, describe_machine(options.root)))
    print(*findings, f"{len(paths)} files checked, {len(findings)} findings", sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
