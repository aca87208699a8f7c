"""Every console block of README and tutorial, run as a reader would type it, with the output that the page shows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.console import ROOT, Shell, find_difference, list_commands, open_shell, read_blocks, read_transcript

README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorial" / "first-deployment.md"
SAGEMAKER_TUTORIAL = ROOT / "docs" / "tutorial" / "sagemaker.md"
"""Run by `test_sagemaker_tutorial`."""
K8S_TUTORIAL = ROOT / "docs" / "tutorial" / "kubernetes.md"
"""Run by `test_k8s_tutorial`."""
PAGES = (README, *sorted((ROOT / "docs" / "tutorial").glob("*.md")))
IN_THE_DEMO = "in the demo"
IN_A_TUTORIAL = {"in the SageMaker tutorial": SAGEMAKER_TUTORIAL, "in the Kubernetes tutorial": K8S_TUTORIAL}
_DELETE = re.compile(r"^    (\S+/dockyard delete .+)$", re.MULTILINE)
pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]  # minutes, where two cores are busy with other tests


@pytest.fixture
def shell(tmp_path: Path, session_folder: Path) -> Iterator[Shell]:
    """A shell whose deployments are gone afterwards, whatever happens. What is downloaded is shared with all other tests."""
    home = session_folder / "readers-home"
    shutil.rmtree(home, ignore_errors=True)
    shell = open_shell(tmp_path, home=home, cache=session_folder / "stage" / "cache")
    yield shell
    shell.run(("dockyard delete my_first_model --yes || true",))


def test_demo_prints_what_readme_shows_and_ends_by_the_command_that_it_prints(shell: Shell) -> None:
    (demo,) = shell.run((f"{ROOT}/examples/demo",))
    transcript = demo.output.replace(f"{ROOT}/examples", "../examples")
    printed = {command.text: command.output.partition("\n\n")[0] for command in read_transcript(transcript)}

    for said in list_commands(README, IN_THE_DEMO):
        assert find_difference(said.output, printed[said.text]) is None, find_difference(said.output, printed[said.text])

    delete = _DELETE.search(demo.output)
    assert delete, demo.output
    deleted, status = shell.run((f"cd {ROOT} && {delete[1]}", "dockyard status"))
    assert deleted.output.endswith("local/my_first_model\n")
    assert "there is no deployment" in status.output


def test_tutorial_prints_what_it_shows(shell: Shell) -> None:
    wrong = shell.find_wrong(TUTORIAL)
    assert wrong == [], "\n\n".join(wrong)


@pytest.mark.parametrize(("mark", "page"), IN_A_TUTORIAL.items())
def test_what_readme_shows_of_a_tutorial_is_what_that_shows(mark: str, page: Path) -> None:
    shown = {command.text: command.output for command in list_commands(page, "")}
    said = list_commands(README, mark)

    assert said
    for command in said:
        assert find_difference(command.output, shown[command.text]) is None, command.text


def test_every_block_is_run_or_says_why_it_is_not() -> None:
    marks = [(page.name, block.mark) for page in PAGES for block in read_blocks(page)]

    run = {
        ("README.md", IN_THE_DEMO),
        *(("README.md", mark) for mark in IN_A_TUTORIAL),
        (TUTORIAL.name, ""),
        *((page.name, "") for page in IN_A_TUTORIAL.values()),
    }
    assert [one for one in marks if one not in run and not re.fullmatch(r"not run: .{10,}", one[1])] == []
    assert run <= set(marks)
