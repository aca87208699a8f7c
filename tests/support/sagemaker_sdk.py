"""A Python that has the SageMaker SDK and MLflow's plugin for SageMaker, some 550 MB. A pytest plugin."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.lab import ROOT, Part, choose_part
from support.own_pythons import provide_python

REQUIREMENTS = ROOT / "requirements" / "sagemaker-sdk.txt"
SDK = Part(title="Python with the SageMaker SDK", variable="DOCKYARD_TEST_SAGEMAKER_SDK", started_by="")


@pytest.fixture(scope="session")
def sagemaker_sdk() -> Path:
    """The interpreter: the one that is named, else one in the user's cache folder."""
    if SDK.variable in os.environ:
        return Path(choose_part(SDK, os.environ, None, has_sdk))
    return provide_python(SDK, REQUIREMENTS)


def has_sdk(python: str) -> bool:
    """Whether an interpreter has both packages."""
    command = [python, "-c", "import importlib.util as u; assert all(map(u.find_spec, ('sagemaker.core', 'sagemaker_mlflow')))"]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False
