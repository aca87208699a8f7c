"""The lab's command line tools run, and its scripts are in order."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = [
    path
    for path in (ROOT / "lab").rglob("*")
    if path.is_file() and path.read_bytes().startswith(b"#!") and b"sh\n" in path.read_bytes()[:30]
]

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("helm version --short", r"^v?4\."),
        ("helm3 version --short", r"^v?3\."),
        ("untt --help", "unittest"),
        ("kubeconform -v", "."),
        ("crane version", "."),
        ("kubectl version --client", r"Client Version: v1\."),
        ("docker buildx version", "buildx"),
        ("docker compose version", "version"),
    ],
)
def test_tool_runs(command: str, answer: str, lab_tools: Path, lab_environment: dict[str, str]) -> None:
    environ = lab_environment | {"PATH": f"{lab_tools}:{lab_environment['PATH']}"}
    result = subprocess.run(["bash", "-c", command], env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert re.search(answer, result.stdout)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_script_passes_shellcheck(script: Path) -> None:
    result = subprocess.run(["shellcheck", "-x", script.name], cwd=script.parent, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
