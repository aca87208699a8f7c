"""Tests of what goes into the image."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

import dockyard_scorer
from dockyard_scorer import REQUIREMENTS, layer_files, scorer_digest

PACKAGE = Path(dockyard_scorer.__file__).parent
SOURCES = PACKAGE.parent


def test_layer_holds_every_module_and_the_start_file() -> None:
    files = layer_files()
    modules = {f"dockyard_scorer/{path.name}" for path in PACKAGE.glob("*.py")}
    assert set(files) == modules | {"__main__.py", "dockyard_scorer/requirements.txt"}
    assert files["__main__.py"] == (PACKAGE / "bootstrap.py").read_bytes()


def test_layer_is_sorted_so_that_its_bytes_do_not_depend_on_the_machine() -> None:
    assert list(layer_files()) == sorted(layer_files())


def test_digest_is_stable_and_well_formed() -> None:
    assert scorer_digest() == scorer_digest()
    assert scorer_digest().startswith("sha256:")
    assert len(scorer_digest()) == 71


def test_requirements_are_what_the_scorer_imports_beside_the_model() -> None:
    assert {Requirement(line).name for line in REQUIREMENTS} == {"uvicorn", "prometheus-client"}


def test_package_and_proof_import_the_standard_library_only() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SOURCES)!r}); import dockyard_scorer, dockyard_scorer.proof;"
        "dockyard_scorer.layer_files();"
        "import json; print(json.dumps([name for name in sys.modules if name.split('.')[0] not in sys.stdlib_module_names]))"
    )
    # -I -S: neither the environment's packages nor its variables
    run = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    foreign = set(json.loads(run.stdout)) - {"__main__"}
    assert foreign == {"dockyard_scorer", "dockyard_scorer.layer", "dockyard_scorer.proof"}


def test_scorer_has_the_version_of_the_project() -> None:
    project = (SOURCES.parent / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version is not None
    assert version[1] == dockyard_scorer.__version__
