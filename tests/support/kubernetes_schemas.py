"""Objects held to the schemas of every Kubernetes from 1.28 to 1.37, strictly: in a Python of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

import pytest

from support.lab import ROOT, Part
from support.own_pythons import provide_python

SCHEMAS = Part(title="Python with Kubernetes' schemas", variable="", started_by="")
OF_OTHERS = frozenset(
    {"HTTPRoute", "ScaledObject", "ServiceMonitor", "PrometheusRule", "Canary", "Rollout", "ExternalSecret"},
)
"""Kinds that Kubernetes has no schemas of: the lab's API server has their definitions."""
PROGRAM = """
import json, sys
import kubernetes_validate as kv
for version in ["1.%d" % minor for minor in range(28, 38)]:
    for item in json.load(open(sys.argv[1])):
        kv.validate(item, version, strict=True)
        print(version, item["kind"])
"""


def validate(objects: Sequence[object], folders: pytest.TempPathFactory) -> str:
    """What was found to be valid: a line for each object and version."""
    path = folders.mktemp("objects") / "objects.json"
    path.write_text(json.dumps(objects))
    python = provide_python(SCHEMAS, ROOT / "requirements" / "kubernetes-schemas.txt")
    return subprocess.run(
        [str(python), "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True, timeout=120
    ).stdout
