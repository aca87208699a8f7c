"""Every console block of README and tutorial, run as a reader would type it, with the output that the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.console import ROOT, Block, Command, Shell, find_difference, open_shell, read_blocks, read_transcript

README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-deployment.md"
PAGES = (README, *sorted((ROOT / "docs" / "tutorial").glob("*.md")))
IN_THE_DEMO = "in the demo"
_DELETE = re.compile(r"^    (\S+/dockyard delete .+)$", re.MULTILINE)
pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]  # minutes, where two cores are busy with other tests


@pytest.fixture
def shell(tmp_path: Path, session_folder: Path) -> Iterator[Shell]:
    """A shell whose deployments are gone afterwards, whatever happens. What is downloaded is shared with all other tests."""
    shell = open_shell(tmp_path, session_folder / "stage" / "cache")
    yield shell
    shell.run(("dockyard delete my_first_model --yes || true",))


def test_demo_prints_what_readme_shows_and_ends_by_the_command_that_it_prints(shell: Shell) -> None:
    (demo,) = shell.run((f"{ROOT}/examples/demo",))
    transcript = demo.output.replace(f"{ROOT}/examples", "../examples")
    printed = {command.text: command.output.partition("\n\n")[0] for command in read_transcript(transcript)}

    for said in _list_commands(README, IN_THE_DEMO):
        assert find_difference(said.output, printed[said.text]) is None, find_difference(said.output, printed[said.text])

    delete = _DELETE.search(demo.output)
    assert delete, demo.output
    deleted, status = shell.run((f"cd {ROOT} && {delete[1]}", "dockyard status"))
    assert deleted.output.endswith("local/my_first_model\n")
    assert "there is no deployment" in status.output


def test_tutorial_prints_what_it_shows(shell: Shell) -> None:
    wanted = _list_commands(TUTORIAL, "")

    printed = shell.run(tuple(command.text for command in wanted))

    wrong = [
        f"$ {said.text}\n{difference}"
        for said, done in zip(wanted, printed, strict=True)
        if (difference := find_difference(said.output, done.output))
    ]
    assert wrong == [], "\n\n".join(wrong)


def test_every_block_is_run_or_says_why_it_is_not() -> None:
    marks = [(page.name, block.mark) for page in PAGES for block in read_blocks(page)]

    run = {("README.md", IN_THE_DEMO), (TUTORIAL.name, "")}
    assert [one for one in marks if one not in run and not re.fullmatch(r"not run: .{10,}", one[1])] == []
    assert run <= set(marks)


def _list_commands(page: Path, mark: str) -> tuple[Command, ...]:
    blocks: tuple[Block, ...] = read_blocks(page)
    return tuple(command for block in blocks if block.mark == mark for command in block.commands)
