"""What the how-to page says about the sandbox works, in the order in which it stands there, and prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.sandbox_control import IMAGE, ROLE, ControlBench

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "develop-against-the-sandbox.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_page_does_what_it_says(
    bench: ControlBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in bench.sandbox.environment.items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {"IMAGE": IMAGE, "ROLE": ROLE, "__name__": "page"}
    for block in BLOCK.findall(PAGE.read_text("utf-8")):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102 the page is ours, and this is what it is for
    status, rolled_back, actions, denied, own = capsys.readouterr().out.splitlines()
    assert (status, rolled_back, denied, own) == ("InService", "InService wine-1 None", "AccessDeniedException", "True 0")
    assert rolled_back in PAGE.read_text("utf-8")
    assert "sagemaker:UpdateEndpoint" in actions
    assert "iam:PassRole" in actions
    assert len(bench.runner.running) == 1
