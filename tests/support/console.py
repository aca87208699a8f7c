"""Reads the console blocks of a page, runs them in one shell as a reader would, and compares what was printed.

A block is fenced as ```console. Lines that begin with `$ ` are commands, what follows is what they print, on stdout and stderr
together. A line `…` stands for any lines. What differs between machines and runs (times, digests, ids, who) is compared by
form only; port 1234 stands for the test's own. An HTML comment above a block says what is different about it:

    <!-- not run: reason -->    it is left out
    <!-- in the demo -->        the demo runs these commands, with this output
    <!-- file: NAME -->         above a block of any language: the reader saves it under that name
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.ports import reserve_port

ROOT = Path(__file__).resolve().parents[2]
PAGE_PORT = "1234"
_TIMEOUT_SECONDS = 900
_BLOCK = re.compile(r"^(?:<!-- (?P<mark>.+?) -->\n)?```console\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^<!-- file: (?P<name>[\w.-]+) -->\n```\w+\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_END = re.compile(r"\n\x1e(\d+)\n")
_LONG_NUMBER = re.compile(r"\d+\.\d{6,}")
_FORMS = (
    (re.compile(r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?"), "TIME"),
    (re.compile(r"\b(?:sha256:)?[0-9a-f]{32,64}\b"), "DIGEST"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:ms|s|min)\b"), "DURATION"),
    (re.compile(r"\b\d+(?:\.\d+)? [kMG]B\b"), "SIZE"),
    (re.compile(r"\b[\w.-]+@[\w.-]+(?=  )"), "WHO"),
    (re.compile(r"(?<=-)[0-9a-f]{16}\b"), "CONTENT"),
    (re.compile(r"\brunner `(?:docker|unpacked)`"), "RUNNER"),
    (re.compile(r" {2,}"), "  "),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command and what it printed, or is said to print."""

    text: str
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A console block of a page."""

    mark: str
    """What the comment above it says; empty where there is none."""
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A reader's shell: a folder, an environment, and the port that stands for the pages' one."""

    folder: Path
    port: str
    environ: Mapping[str, str]
    replaced: tuple[tuple[str, str], ...] = ()
    """What pages say, and what stands for it here: in commands, in files, and in what is printed."""

    def run(self, commands: tuple[str, ...]) -> tuple[Command, ...]:
        """Run commands one after the other; fails the test at the first that ends with another code than 0."""
        script = "".join(f"{self._to_test(text)}\nprintf '\\n\\036%d\\n' $?\n" for text in commands)
        printed = self.folder / "printed.txt"
        with printed.open("wb") as file:  # a pipe would stay open as long as the daemons that a command leaves behind
            subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        parts = _END.split(self._to_page(printed.read_text()))
        for text, output, code in zip(commands, parts[::2], parts[1::2], strict=False):
            assert code == "0", f"$ {text}\n{output}\nended with {code}"
        return tuple(Command(text=text, output=output) for text, output in zip(commands, parts[::2], strict=False))

    def find_wrong(self, page: Path) -> list[str]:
        """Do what a page says; return what was printed otherwise than it shows."""
        for name, text in read_files(page):
            (self.folder / name).write_text(self._to_test(text))
        wanted = list_commands(page, "")
        printed = self.run(tuple(command.text for command in wanted))
        return [
            f"$ {said.text}\n{difference}"
            for said, done in zip(wanted, printed, strict=True)
            if (difference := find_difference(said.output, done.output))
        ]

    def _to_test(self, text: str) -> str:
        for on_page, here in ((PAGE_PORT, self.port), *self.replaced):
            text = re.sub(rf"\b{re.escape(on_page)}\b", here, text)
        return text

    def _to_page(self, text: str) -> str:
        for on_page, here in ((PAGE_PORT, self.port), *self.replaced):
            text = re.sub(rf"\b{re.escape(here)}\b", on_page, text)
        return text


def open_shell(folder: Path, *, home: Path, cache: Path) -> Shell:
    """A shell in `folder` that sees the examples as in a checkout, and keeps all but home and cache in it.

    Models run as processes. Python finds in a cache what it has compiled of a home at the same path.
    """
    (folder / "examples").symlink_to(ROOT / "examples")
    port = str(reserve_port())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKYARD_", "MLFLOW_", "PYTHON"))}
    tools = Path(sys.executable).parent
    environ = {
        "PATH": os.pathsep.join([str(tools), os.environ["PATH"], str(write_curl(folder / "bin"))]),
        "DEMO_HOME": str(folder / "demo"),
        "DEMO_TOOLS": str(tools),
        "DOCKYARD_HOME": str(home),
        "DOCKYARD_CACHE": str(cache),
        "DOCKYARD_ENVIRONMENTS__LOCAL__RUNTIME": "process",
        "DOCKYARD_ENVIRONMENTS__LOCAL__PORT": port,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    return Shell(folder=folder, port=port, environ=kept | environ)


def write_curl(folder: Path) -> Path:
    """Make a folder with a `curl` in it that does what the pages use, for the end of PATH."""
    folder.mkdir()
    program = folder / "curl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("curl.py")} "$@"\n')
    program.chmod(0o755)
    return folder


def read_blocks(page: Path) -> tuple[Block, ...]:
    """The console blocks of a page, in order."""
    found = _BLOCK.finditer(page.read_text())
    return tuple(Block(mark=match["mark"] or "", commands=read_transcript(match["body"])) for match in found)


def list_commands(page: Path, mark: str) -> tuple[Command, ...]:
    """The commands of all blocks that have a mark; empty: that have none."""
    return tuple(command for block in read_blocks(page) if block.mark == mark for command in block.commands)


def read_files(page: Path) -> tuple[tuple[str, str], ...]:
    """Names and contents of the files that a page has its reader save."""
    return tuple((match["name"], match["body"]) for match in _FILE.finditer(page.read_text()))


def read_transcript(text: str) -> tuple[Command, ...]:
    """Commands with their output, from lines of which those that begin with `$ ` are commands."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return tuple(Command(text=command, output=output) for command, output in zip(parts[1::2], parts[2::2], strict=True))


def find_difference(said: str, printed: str) -> str | None:
    """How what was printed differs from what a page says; None where it does not."""
    said, printed = _shape(said), _shape(printed)
    lines = (r"(?:.*\n)*?" if line == "…" else re.escape(line) + r"\n" for line in said.splitlines())
    if re.fullmatch("".join(lines), printed + "\n" if printed else ""):
        return None
    return f"the page says\n{said}\n\nbut printed was\n{printed}"


def _shape(text: str) -> str:
    for form, name in _FORMS:
        text = form.sub(name, text)
    text = _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.6g}", text)  # the last digits are the machine's
    return text.strip("\n")
