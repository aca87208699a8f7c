"""The package stands alone: it needs neither Dockyard, nor the scorer, nor a cloud's SDK."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dockyard_image

SOURCES = Path(dockyard_image.__file__).parents[1]
FORBIDDEN = ("dockyard", "dockyard_scorer", "mlflow", "boto3", "botocore", "docker", "kubernetes", "requests", "pydantic")


def test_import_brings_in_nothing_heavy() -> None:
    script = f"import dockyard_image, sys; print(*[name for name in {FORBIDDEN!r} if name in sys.modules])"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env={"PYTHONPATH": str(SOURCES)}, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_everything_that_is_promised_is_there() -> None:
    assert dockyard_image.__all__ == sorted(dockyard_image.__all__)
    assert all(hasattr(dockyard_image, name) for name in dockyard_image.__all__)


def test_every_module_says_what_it_owns() -> None:
    for module in sorted((SOURCES / "dockyard_image").glob("*.py")):
        assert "Owns" in module.read_text("utf-8").split('"""')[1], module.name
