"""The Python that has the SageMaker SDK: where it is kept, what it is made of, and whether one is one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from support.own_pythons import find_folder
from support.sagemaker_sdk import REQUIREMENTS, has_sdk


def test_other_packages_and_other_caches_are_other_places(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    folder = find_folder(environ, "sdk", b"one")
    assert folder == find_folder(environ, "sdk", b"one")
    assert folder != find_folder(environ, "sdk", b"two")
    assert tmp_path in folder.parents
    assert find_folder({}, "sdk", b"one") == Path.home() / ".cache" / "dockyard-tests" / folder.name


@pytest.mark.parametrize(
    ("requirements", "wanted"),
    [
        (REQUIREMENTS, {"sagemaker-core", "sagemaker-mlflow", "boto3"}),
        (REQUIREMENTS.parent / "kubernetes-schemas.txt", {"kubernetes-validate", "jsonschema"}),
        (REQUIREMENTS.parent / "checkov.txt", {"checkov"}),
    ],
)
def test_every_package_is_pinned_with_its_hashes_and_no_index_is_named(requirements: Path, wanted: set[str]) -> None:
    text = requirements.read_text()
    packages = re.findall(r"^(\S+)==\S+.*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert wanted <= set(packages)
    assert len(packages) == len(re.findall(r"^\S", text, re.MULTILINE))
    assert "://" not in text
    assert "index-url" not in text


def test_python_without_the_packages_is_none_of_them(tmp_path: Path) -> None:
    assert not has_sdk(str(tmp_path / "nothing"))
    assert not has_sdk(f"{sys.prefix}/bin/no-such-python")
