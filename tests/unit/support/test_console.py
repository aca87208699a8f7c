"""How console blocks are read and compared: what a page may leave open, and what it may not."""

from __future__ import annotations

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from support.console import Command, find_difference, open_shell, read_blocks, write_curl


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, and as what."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Content-Type"].encode() + b" " + body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def test_block_has_its_mark_and_its_commands_with_their_output(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("text\n\n<!-- not run: why -->\n```console\n$ one\na\nb\n$ two\n```\n\n```console\n$ three\n```\n")

    first, second = read_blocks(page)

    assert (first.mark, second.mark) == ("not run: why", "")
    assert first.commands == (Command(text="one", output="a\nb\n"), Command(text="two", output=""))


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("deployed, in 17.2 s", "deployed, in 940 ms"),
        (f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"),
        ("AT  2026-11-22 07:21:17Z  yes", "AT  2027-01-01 00:00:00Z  yes"),
        ("BY        ERROR\nyou@host  -", "BY       ERROR\nme@vm-1  -"),
        ('{"predictions": [5.898021526344115]}', '{"predictions": [5.898021526344116]}'),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("…\nd", "d\n"),
    ],
)
def test_what_differs_between_machines_is_compared_by_form(said: str, printed: str) -> None:
    assert find_difference(said, printed) is None


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("revision 1", "revision 2"),
        ('{"predictions": [5.898021526344115]}', '{"predictions": [5.766305428301698]}'),
        ("a\nb", "a"),
        ("a", "a\nb"),
        ("", "warning"),
        ("a\n…\nd", "a\nb"),
    ],
)
def test_everything_else_is_compared_by_letter(said: str, printed: str) -> None:
    assert find_difference(said, printed) is not None


def test_shell_keeps_its_state_and_fails_at_the_command_that_fails(tmp_path: Path) -> None:
    shell = open_shell(tmp_path, home=tmp_path / "home", cache=tmp_path / "cache")

    kept = shell.run(("export ANSWER=42", "echo $ANSWER at port 1234 >&2"))

    assert kept[1].output == "42 at port 1234\n"
    with pytest.raises(AssertionError, match="ended with 3"):
        shell.run(("true", "(exit 3)"))


def test_machine_without_curl_gets_one_that_posts_a_file(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("{}")
    curl = write_curl(tmp_path / "bin") / "curl"
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.handle_request).start()
        asked = subprocess.run(
            [curl, "-sS", "-H", "Content-Type: application/json", "-d", "@request.json", f"127.0.0.1:{server.server_port}/"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )

    assert asked.stdout == "application/json {}"
