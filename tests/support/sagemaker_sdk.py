"""A Python that has the SageMaker SDK and MLflow's plugin for SageMaker: made once, and kept between runs. A pytest plugin.

Owns that Python. It is some 550 MB, so it is none of the project's own; its packages are pinned, with hashes, in
requirements/sagemaker-sdk.txt, and come from wherever uv is set to take packages from. Must not change this Python.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from support.lab import ROOT, Part, choose_part, refuse_part

REQUIREMENTS = ROOT / "requirements" / "sagemaker-sdk.txt"
SDK = Part(title="Python with the SageMaker SDK", variable="DOCKYARD_TEST_SAGEMAKER_SDK", started_by="")
_DONE = "complete"
_SECONDS = 900


@pytest.fixture(scope="session")
def sagemaker_sdk() -> Path:
    """The interpreter: the one that is named, else one in the user's cache folder."""
    if SDK.variable in os.environ:
        return Path(choose_part(SDK, os.environ, None, has_sdk))
    folder = find_folder(os.environ, REQUIREMENTS.read_bytes())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one run, and other runs
        if not (folder / _DONE).exists():
            make_python(folder)
    return folder / "bin" / "python"


def find_folder(environ: os._Environ[str] | dict[str, str], requirements: bytes) -> Path:
    """Where it is kept: another place for other packages, and for another Python."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    mark = hashlib.sha256(requirements + sys.version.encode()).hexdigest()[:16]
    return cache / "dockyard-tests" / f"sagemaker-sdk-{mark}"


def make_python(folder: Path) -> None:
    """Make it. Where packages cannot be had, the tests that need it are skipped; with CI=true they fail."""
    python = str(folder / "bin" / "python")
    shutil.rmtree(folder, ignore_errors=True)
    commands = (
        ("venv", "--quiet", "--no-config", "--python", sys.executable, str(folder)),
        ("pip", "sync", "--quiet", "--require-hashes", "--python", python, str(REQUIREMENTS)),
    )
    for command in commands:
        done = subprocess.run([find_uv_bin(), *command], capture_output=True, text=True, check=False, timeout=_SECONDS)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            sys.stderr.write(done.stderr)
            refuse_part(SDK, in_ci=os.environ.get("CI", "").lower() in {"1", "true"})
    (folder / _DONE).touch()


def has_sdk(python: str) -> bool:
    """Whether an interpreter has both packages."""
    command = [python, "-c", "import importlib.util as u; assert all(map(u.find_spec, ('sagemaker.core', 'sagemaker_mlflow')))"]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False
