"""The chart is what the templates of deploys give, its values are closed, and what Helm cannot say is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import make_chart as tool
from dockyard.adapters.k8s.manifests import open_templates
from dockyard.adapters.k8s.render.files import FileRenderer
from dockyard.adapters.k8s.render.values import CHART_KINDS
from dockyard.domain.rendering import GitPlace, RenderForm, RenderShape
from serving_chart.files import make_chart
from serving_chart.translate import NotInHelmError, translate
from support.k8s_variants import VARIANTS

SHAPE = RenderShape(form=RenderForm.HELM, namespace="models", git=GitPlace())


def test_chart_is_what_the_templates_give() -> None:
    assert tool.find_stale(tool.CHART) == []


def test_stale_and_foreign_files_are_named_and_written(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "templates").mkdir()
    (folder / "templates" / "old.yaml").write_text("old")
    assert {"templates/old.yaml", "Chart.yaml"} <= set(tool.find_stale(folder))
    tool.write_chart(folder)
    assert (tool.find_stale(folder), (folder / "templates" / "old.yaml").exists()) == ([], False)


@pytest.mark.parametrize("variant", VARIANTS)
def test_values_have_exactly_what_the_schema_knows(variant: str) -> None:
    schema = json.loads(make_chart()["values.schema.json"])
    (text,) = FileRenderer().render_files(VARIANTS[variant], SHAPE).values()
    values = yaml.safe_load(text)
    assert set(values) == set(schema["required"]) == set(schema["properties"]) - {"global"}
    for part in ("policy", "settings"):
        assert list(values[part]) == schema["properties"][part]["required"]
    kinds = [*values["kinds"], *(one["kind"] for one in values["extra_objects"])]
    assert kinds == list(VARIANTS[variant].policy.list_kinds())
    assert set(values["kinds"]) <= set(CHART_KINDS)


def test_every_object_of_ours_is_closed() -> None:
    schema = json.loads(make_chart()["values.schema.json"])
    own = [one for one in walk(schema) if "properties" in one]
    assert len(own) >= 5
    assert all(one["additionalProperties"] is False for one in own)


def walk(schema: object) -> Iterator[dict[str, object]]:
    if isinstance(schema, dict):
        yield schema
        for one in schema.values():
            yield from walk(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from walk(one)


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("a: {{ name | tojson }}", "a: {{ $.Values.name | toJson }}"),
        ("a: {{ namespace | tojson }}", "a: {{ $.Release.Namespace | toJson }}"),
        ("a: {{ policy.replicas }}", 'a: {{ include "model-server.text" $.Values.policy.replicas }}'),
        ("a: {{ port | string | tojson }}", 'a: {{ (include "model-server.text" $.Values.port) | toJson }}'),
        ("a: {{ x.y | fill(name) | tojson }}", 'a: {{ (replace "{name}" $.Values.name $.Values.x.y) | toJson }}'),
        ("a: {{ (x ~ '-' ~ y) | tojson }}", 'a: {{ (printf "%v%v%v" $.Values.x "-" $.Values.y) | toJson }}'),
        ("a: {{ dict(x) | tojson }}", "a: {{ $.Values.x | toJson }}"),
        ("a: {{ dict(x, **y) | tojson }}", "a: {{ (merge (dict) $.Values.y $.Values.x) | toJson }}"),
        ("{% if x and not y %}\na\n{% endif %}\n", "{{- if (and $.Values.x (not $.Values.y)) }}\na\n{{- end }}\n"),
        (
            "{% if x %}\na\n{% elif y == 'b' or z is none %}\nb\n{% else %}\nc\n{% endif %}\n",
            ("{{- if $.Values.x }}\na\n"
            '{{- else if (or (eq $.Values.y "b") (kindIs "invalid" $.Values.z)) }}\nb\n{{- else }}\nc\n{{- end }}\n'),
        ),
        (
            "{% for one in x if one.y %}\n- {{ one.z | tojson }}\n{% endfor %}\n",
            "{{- range $one := $.Values.x }}\n{{- if $one.y }}\n- {{ $one.z | toJson }}\n{{- end }}\n{{- end }}\n",
        ),
        (
            "{% for key, value in x %}\n- {{ key | tojson }}\n{% endfor %}\n",
            "{{- range $key, $value := $.Values.x }}\n- {{ $key | toJson }}\n{{- end }}\n",
        ),
        ("{% for key, value in (('a', x), ('b', y)) %}\n{{ key }}: {{ value | tojson }}\n{% endfor %}\n",
         "a: {{ $.Values.x | toJson }}\nb: {{ $.Values.y | toJson }}\n"),
        ("a: {% raw %}{{ $labels }}{% endraw %}", 'a: {{ "{{" }} $labels }}'),
    ],
)  # fmt: skip
def test_template_is_said_in_helms_words(source: str, made: str) -> None:
    assert translate(open_templates("k8s"), source) == made


@pytest.mark.parametrize(
    "source", ["{% set a = 1 %}", "{{ [1, 2] | min }}", "{% for (a, (b, c)) in x %}{% endfor %}", "{{ range(3) }}"]
)
def test_what_helm_cannot_say_is_an_error(source: str) -> None:
    with pytest.raises(NotInHelmError, match="line 1"):
        translate(open_templates("k8s"), source)
