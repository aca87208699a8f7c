"""The tutorial on Kubernetes, typed as its reader would, on the lab's cluster."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.console import ROOT, Shell, open_shell

TUTORIAL = ROOT / "docs" / "tutorial" / "kubernetes.md"
NAMESPACE, REGISTRY = "wine-team", "registry.example.com"
pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture
def shell(tmp_path: Path, session_folder: Path, lab_kubeconfig: Path, lab_registry: str) -> Iterator[Shell]:
    """A shell with a cluster, a namespace for this run only, and the lab's registry in the place of the reader's."""
    opened = open_shell(tmp_path, home=tmp_path / "home", cache=session_folder / "stage" / "cache")
    parts = {
        "KUBECONFIG": str(lab_kubeconfig),
        "DOCKYARD_IMAGE__MIRRORS": json.dumps({"docker.io": [f"http://{lab_registry}"]}),
        "DOCKYARD_IMAGE__INSECURE_REGISTRIES": json.dumps([lab_registry]),
    }
    namespace = f"{NAMESPACE}-{secrets.token_hex(3)}"
    yield dataclasses.replace(
        opened, environ={**opened.environ, **parts}, replaced=((NAMESPACE, namespace), (REGISTRY, lab_registry))
    )
    opened.run((f"KUBECONFIG={lab_kubeconfig} kubectl delete namespace --ignore-not-found {namespace}",))


def test_tutorial_prints_what_it_shows(shell: Shell) -> None:
    wrong = shell.find_wrong(TUTORIAL)
    assert wrong == [], "\n\n".join(wrong)
