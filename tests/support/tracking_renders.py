"""What real Helms make of the tracking chart with every set of values in tests/cases/tracking_chart, once in a session."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.session import make_once

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm/tracking"
SETS: Mapping[str, Path] = {file.stem: file for file in sorted((ROOT / "tests/cases/tracking_chart").glob("*.yaml"))}
NAMESPACE = "ml"
FIELDS = {"text": "helm", "again": "helm", "by_helm_3": "helm3"}
"""What a Rendering has, and by which Helm."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """One set of values by Helm 4, by Helm 4 again, and by Helm 3."""

    text: str
    again: str
    by_helm_3: str

    @property
    def objects(self) -> list[Json]:
        """What is in it."""
        return load_objects(self.text)

    def find_pods(self) -> Mapping[str, Json]:
        """Templates of its pods by component."""
        found: dict[str, Json] = {}
        for one in self.objects:
            spec = one.get("spec", {})
            template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
            if template:
                found[template["metadata"]["labels"]["app.kubernetes.io/component"]] = template
        return found


def load_objects(text: str) -> list[Json]:
    """The documents of a rendering."""
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def distinct_objects(renderings: Iterable[Rendering]) -> list[Json]:
    """What is in any of them, once."""
    texts = {json.dumps(one, sort_keys=True) for rendering in renderings for one in rendering.objects}
    return [json.loads(text) for text in sorted(texts)]


def run_helm(tool: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Helm, whatever it says. Helm 3 that is built as a Go module knows no version of Kubernetes by itself."""
    command = [str(tool), *map(str, arguments), "--kube-version", "1.34.0"]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="session")
def tracking_renders(lab_tools: Path, session_folder: Path) -> Mapping[str, Rendering]:
    """All sets, by name, rendered once for all workers."""

    def render(task: tuple[str, str, Path]) -> None:
        tool, name, file = task
        ended = run_helm(lab_tools / tool, "template", "team", CHART, "--namespace", NAMESPACE, "--values", SETS[name])
        assert ended.returncode == 0, f"{name}: {ended.stderr}"
        file.write_text(ended.stdout, "utf-8")

    def render_all(folder: Path) -> None:
        tasks = [(tool, name, folder / f"{name}.{field}") for name in SETS for field, tool in FIELDS.items()]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(render, tasks))

    made = make_once(session_folder / "tracking-renders", render_all)
    return {name: Rendering(**{field: (made / f"{name}.{field}").read_text("utf-8") for field in FIELDS}) for name in SETS}
