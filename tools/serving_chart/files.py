"""Owns the files of the chart `helm/model-server`: templates, schema, README, and values to try it with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files

import yaml
from jinja2 import Environment

from dockyard import __version__
from dockyard.adapters.k8s.manifests import list_values, open_templates
from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.adapters.k8s.render.values import CHART_KINDS, list_chart_values
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard.domain.k8s import Blueprint, K8sPolicy, K8sSettings, K8sSpec
from dockyard.domain.model import ModelDigest, ModelIdentity
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from reference_pages.markdown import code, table
from serving_chart.schema import list_meanings, make_schema
from serving_chart.translate import translate

_MADE = "Made by tools/make_chart.py from src/dockyard/templates/k8s."
_CHART = {
    "apiVersion": "v2",
    "name": "model-server",
    "description": "A model that MLflow logged, served by Dockyard's image, with values that Dockyard renders.",
    "type": "application",
    "version": __version__,
    "appVersion": __version__,
    "kubeVersion": ">=1.28.0-0",
    "keywords": ["mlflow", "model serving"],
}
_HELPERS = """\
{{- define "model-server.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}
"""
_NO_DEFAULTS = """\
# There are no defaults: `dockyard render k8s --format helm` writes the values. README.md says what they are.
{}
"""
_EXTRA = """\
{{- range .Values.extra_objects }}
---
{{ toYaml . }}
{{- end }}
"""
_ABOUT = f"""
Made by `tools/make_chart.py` from the templates that `dockyard deploy k8s` fills in, for Helm 3 and 4. Dockyard writes values:

    dockyard render k8s -m models:/wine@champion --env prod --format helm -o wine
    helm upgrade --install wine helm/model-server -n models -f wine/values.yaml

There are no defaults, and an unknown or missing value is refused: `image`, annotations and settings belong together. What you
set beside with `--set` works, and `dockyard drift` shows it. Objects that the chart has no template for come whole in
`extra_objects`; it has those for {", ".join(CHART_KINDS)}.
"""


def make_sample() -> Blueprint:
    """A made-up deployment."""
    digest = "sha256:" + "0" * 64
    model = ModelIdentity(digest=ModelDigest(digest), source="models/1", name="wine", version="1")
    return Blueprint(
        key=DeploymentKey(environment="prod", name="wine", target=Target.K8S),
        number=1,
        spec=K8sSpec(model=model, fingerprint=Fingerprint(digest), settings=K8sSettings()),
        image=ImageDigest(f"registry.example.com/models@{digest}"),
        policy=K8sPolicy(),
    )


def make_chart() -> Mapping[str, str]:
    """Return the text of each file by its path."""
    sample, environment = make_sample(), open_templates("k8s")
    values = list_chart_values(list_values(sample, "models"), ())
    shape = RenderShape(form=RenderForm.HELM, namespace="models", git=GitPlace())
    (example,) = FileRenderer().render_files(sample, shape).values()
    rows = [(code(path), meaning) for path, meaning in list_meanings(values)]
    return {
        "Chart.yaml": f"# {_MADE}\n" + yaml.safe_dump(_CHART, sort_keys=False, width=200),
        "README.md": f"# model-server\n{_ABOUT}\n## Values\n\n{table(('value', 'what'), rows)}\n",
        "values.yaml": f"# {_MADE}\n{_NO_DEFAULTS}",
        "values.schema.json": json.dumps(make_schema(values), indent=2) + "\n",
        ".helmignore": "ci/\n",
        "ci/example-values.yaml": example.decode(),
        "templates/_helpers.tpl": _HELPERS,
        "templates/extra.yaml": _EXTRA,
        **{f"templates/{kind.lower()}.yaml": _make_template(environment, kind) for kind in CHART_KINDS},
    }


def _make_template(environment: Environment, kind: str) -> str:
    source = (files("dockyard") / f"templates/k8s/{kind.lower()}.yaml.j2").read_text("utf-8")
    body = translate(environment, source)
    return f'{{{{- /* {_MADE} */ -}}}}\n{{{{- if has "{kind}" $.Values.kinds }}}}\n{body}{{{{- end }}}}\n'
