"""The installed package, as MLflow's own program finds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


@pytest.mark.parametrize("target", ["dockyard-k8s", "dockyard-sagemaker"])
def test_mlflow_finds_a_plugin_by_its_entry_point(target: str) -> None:
    program = str(Path(sys.executable).parent / "mlflow")
    done = subprocess.run([program, "deployments", "help", "-t", target], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[0]) == (0, target), done.stderr
