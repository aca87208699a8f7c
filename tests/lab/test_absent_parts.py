"""The rule for absent parts, on a whole run of pytest: skipped for a person, failed with CI=true."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A test that needs one part only.
NEEDS_REGISTRY = "tests/lab/test_registry.py::test_open_registry_gives_back_the_blob_it_was_given"


@pytest.fixture(name="state")
def empty_state() -> Iterator[Path]:
    # pytest's own folders are too deep for a lab.
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        yield Path(folder)


def run_without_lab(state: Path, ci: str) -> subprocess.CompletedProcess[str]:
    """That test in a shell to which no lab is known: other folders, and ports on which nobody listens."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LAB_", "DOCKYARD_TEST_", "PYTEST_"))}
    environ |= {"CI": ci, "LAB_STATE": str(state), "LAB_REGISTRY_PORT": "1", "LAB_REGISTRY_AUTH_PORT": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", NEEDS_REGISTRY]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.lab
def test_lab_test_is_skipped_for_a_person_without_the_part(state: Path) -> None:
    result = run_without_lab(state, ci="")
    assert result.returncode == 0, result.stdout
    assert "1 skipped" in result.stdout
    assert "`lab/lab up registry`" in result.stdout


@pytest.mark.lab
def test_lab_test_fails_with_ci_without_the_part(state: Path) -> None:
    result = run_without_lab(state, ci="true")
    assert result.returncode == 1, result.stdout
    assert "no open registry" in result.stdout
    assert "skipped" not in result.stdout


@pytest.mark.lab
@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_any_skipped_test_fails_the_run_with_ci_only(ci: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "test_skips.py").write_text("import pytest\n\n\ndef test_nothing():\n    pytest.skip('no reason')\n")
    environ = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "support.lab", "--rootdir", str(tmp_path)]
    result = subprocess.run(
        [*command, str(tmp_path)], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == code, result.stdout
