"""Strict readers of manifests find nothing to say of what is rendered, but for what a user has chosen."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from support.checkov import scan
from support.k8s_variants import VARIANTS

pytestmark = pytest.mark.lab

CHOSEN = {"one pod": {"Deployment few replicas"}, "by KEDA": {"Deployment few replicas"}}
"""What kube-score says where one pod was asked for, and where it does not know who scales."""
CHOSEN_SECRETS = {"CKV_K8S_35"}
"""What Checkov says of `env_secrets`: it would rather have files."""


def write_all(folder: Path) -> None:
    """Every variant; other forms have the same pods, and the chart makes the same objects, as other tests show."""
    for name, blueprint in VARIANTS.items():
        shape = RenderShape(form=RenderForm.PLAIN, namespace="models", git=GitPlace())
        (folder / name).mkdir()
        for path, content in FileRenderer().render_files(blueprint, shape).items():
            (folder / name / path).write_bytes(content)


def test_kube_score_has_nothing_to_say(lab_tools: Path, tmp_path: Path) -> None:
    write_all(tmp_path)
    command = [str(lab_tools / "kube-score"), "score", "--kubernetes-version", "v1.34", "--output-format", "ci"]
    for name in VARIANTS:
        files = sorted(str(path) for path in (tmp_path / name).iterdir())
        ended = subprocess.run([*command, *files], check=False, capture_output=True, text=True)
        lines = ended.stdout.splitlines()
        assert len(lines) > 10, ended.stderr
        said = {line.partition(": ")[2] for line in lines if not line.startswith(("[OK]", "[SKIPPED]"))}
        assert said == CHOSEN.get(name, set()), name


def test_checkov_has_nothing_to_say(tmp_path: Path) -> None:
    write_all(tmp_path)
    found = scan(tmp_path, "kubernetes")
    assert {(path.split("/")[0], check) for path, check in found.failed} == {
        (name, check) for name, one in VARIANTS.items() if one.spec.settings.env_secrets for check in CHOSEN_SECRETS
    }
    assert len(found.passed) > 50 * len(VARIANTS)
    assert found.skipped == ()
