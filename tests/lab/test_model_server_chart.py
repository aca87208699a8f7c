"""Helm makes of the chart and rendered values what the templates of deploys give, and takes no other values."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockyard.adapters.k8s.manifests import render_manifests
from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.k8s import Blueprint
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from support.k8s_variants import VARIANTS, assert_fit
from support.lab import ROOT

pytestmark = pytest.mark.lab

CHART = ROOT / "helm" / "model-server"
Json = dict[str, Any]


@pytest.fixture(params=["helm", "helm3"])
def helm(request: pytest.FixtureRequest, lab_tools: Path) -> str:
    return str(lab_tools / request.param)


def run(helm: str, *arguments: str, values: Json, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "values.json"
    path.write_text(json.dumps(values))
    # Helm 3 that is built as a Go module knows no version of Kubernetes by itself.
    command = [helm, *arguments, str(CHART), "--kube-version", "1.34.0", "-n", "models", "-f", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def make_values(blueprint: Blueprint) -> Json:
    shape = RenderShape(form=RenderForm.HELM, namespace="models", git=GitPlace())
    (text,) = FileRenderer().render_files(blueprint, shape).values()
    values: Json = yaml.safe_load(text)
    return values


@pytest.mark.parametrize("variant", VARIANTS)
def test_objects_are_those_of_a_deploy(helm: str, variant: str, tmp_path: Path) -> None:
    blueprint = VARIANTS[variant]
    done = run(helm, "template", "anything", values=make_values(blueprint), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = {one["kind"]: one for one in yaml.safe_load_all(done.stdout) if one}
    assert found == {one["kind"]: one for one in render_manifests(blueprint, "models")}
    assert_fit(found.values(), blueprint)


def test_chart_is_in_order(helm: str, tmp_path: Path) -> None:
    done = run(helm, "lint", "--strict", values=make_values(VARIANTS["all"]), folder=tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("helm", ["helm"], indirect=True)
def test_unknown_missing_and_wrong_values_are_refused(helm: str, tmp_path: Path) -> None:
    mutations = list(mutate(make_values(VARIANTS["plain"])))
    assert len(mutations) > 40
    accepted = [
        name for name, values in mutations if run(helm, "template", "a", values=values, folder=tmp_path).returncode == 0
    ]
    assert accepted == []


def mutate(values: Json) -> Iterator[tuple[str, Json]]:
    """Values with one key misspelt, or one value of another type; those of free mappings are free."""
    for part in (None, "policy", "settings"):
        for name in values if part is None else values[part]:
            for change in ("misspelt", "mistyped"):
                changed = copy.deepcopy(values)
                owner = changed if part is None else changed[part]
                value = owner.pop(name)
                owner[f"{name}x" if change == "misspelt" else name] = value if change == "misspelt" else [[value]]
                yield f"{part}.{name} {change}", changed
