"""What is rendered is valid, strictly, by the schemas of every Kubernetes from 1.28 to 1.37."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from support.k8s_variants import VARIANTS
from support.lab import ROOT, Part
from support.own_pythons import provide_python

pytestmark = pytest.mark.lab

SCHEMAS = Part(title="Python with Kubernetes' schemas", variable="", started_by="")
OF_OTHERS = ("HTTPRoute", "ScaledObject", "ServiceMonitor", "PrometheusRule", "Canary", "Rollout")
"""Kinds that Kubernetes has no schemas of: the lab's API server has their definitions."""
PROGRAM = """
import json, sys
import kubernetes_validate as kv
for version in ["1.%d" % minor for minor in range(28, 38)]:
    for item in json.load(open(sys.argv[1])):
        kv.validate(item, version, strict=True)
        print(version, item["kind"])
"""


def test_objects_are_valid_by_the_schemas_of_ten_versions(tmp_path_factory: pytest.TempPathFactory) -> None:
    objects = [
        yaml.safe_load(content)
        for form in (RenderForm.PLAIN, RenderForm.FLAGGER)
        for blueprint in VARIANTS.values()
        for content in FileRenderer().render_files(blueprint, make_shape(form)).values()
    ]
    own = [one for one in objects if one["kind"] not in OF_OTHERS]
    assert len(own) > 5 * len(VARIANTS)
    wrong = {**own[0], "spec": {**own[0]["spec"], "replica": 2}}
    assert len(validate(own, tmp_path_factory).splitlines()) == 10 * len(own)
    with pytest.raises(subprocess.CalledProcessError):
        validate([wrong], tmp_path_factory)


def validate(objects: list[object], folders: pytest.TempPathFactory) -> str:
    """What was found to be valid."""
    path = folders.mktemp("objects") / "objects.json"
    path.write_text(json.dumps(objects))
    python = provide_python(SCHEMAS, ROOT / "requirements" / "kubernetes-schemas.txt")
    return subprocess.run(
        [str(python), "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True, timeout=120
    ).stdout


def make_shape(form: RenderForm) -> RenderShape:
    return RenderShape(form=form, namespace="models", git=GitPlace())
