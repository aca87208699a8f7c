"""The chart's schema knows every value and nothing else, its README shows them all, and no value is a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

import chart_readme

CHART = chart_readme.CHART
PASSED_ON = ("global", "podSelector", "namespaceSelector", "ipBlock")
"""What Kubernetes or Helm itself says the shape of."""


def read_schema() -> dict[str, object]:
    schema: dict[str, object] = json.loads((CHART / "values.schema.json").read_text())
    return schema


def walk(schema: Mapping[str, object], path: str = "") -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every object of a schema with its path."""
    if schema.get("type") == "object":
        yield path, schema
    for name, one in _children(schema):
        yield from walk(one, f"{path}.{name}")


def _children(schema: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    properties = schema.get("properties", {})
    assert isinstance(properties, Mapping)
    yield from properties.items()
    items = schema.get("items")
    if isinstance(items, Mapping):
        yield "[]", items


def test_every_object_of_the_schema_is_closed() -> None:
    for path, schema in walk(read_schema()):
        if path.rpartition(".")[2] in PASSED_ON:
            continue
        closed = schema.get("additionalProperties")
        assert closed is False or closed == {"type": "string"}, path


def list_paths(values: Mapping[str, object], path: str = "") -> set[str]:
    found = set()
    for name, value in values.items():
        found.add(f"{path}.{name}")
        if isinstance(value, Mapping):
            found |= list_paths(value, f"{path}.{name}")
    return found


def test_schema_and_defaults_have_the_same_keys() -> None:
    values = list_paths(yaml.safe_load((CHART / "values.yaml").read_text()))
    known = {f"{path}.{name}" for path, schema in walk(read_schema()) for name, _ in _children(schema)}
    free = {path for path, schema in walk(read_schema()) if schema.get("additionalProperties") == {"type": "string"}}
    values = {path for path in values if path.rpartition(".")[0] not in free}
    optional = {path for path in known if "[]" in path or path.endswith((".cpu", ".memory", ".ephemeral-storage"))}
    assert values <= known
    assert known - values - optional == {".global"}


def test_readme_shows_the_values_as_they_are() -> None:
    assert chart_readme.render_readme(CHART) == (CHART / "README.md").read_text("utf-8")
    listed = {path for path, _, _ in chart_readme.read_values((CHART / "values.yaml").read_text())}
    top = {path.split(".")[0] for path in listed}
    assert top == set(yaml.safe_load((CHART / "values.yaml").read_text()))


def test_readme_is_checked_without_being_written() -> None:
    assert chart_readme.main(["--check"]) == 0


def test_chart_is_of_the_mlflow_that_the_image_pins() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    lock = CHART.parents[1] / "dockerfiles/tracking-server/requirements.txt"
    assert f"mlflow=={chart['appVersion']} " in lock.read_text()
    assert "dependencies" not in chart


def test_templates_call_nothing_that_changes_from_one_render_to_the_next() -> None:
    for file in (CHART / "templates").iterdir():
        text = file.read_text()
        for word in ("rand", "now", "lookup", "genCA", "Capabilities", "uuidv4"):
            assert f"{word} " not in text.replace("unknown ", ""), f"{file.name}: {word}"


def test_test_cases_hold_twenty_sets_of_values() -> None:
    assert len(list((Path(__file__).parents[2] / "cases/tracking_chart").glob("*.yaml"))) >= 20


def test_every_alert_has_its_runbook_in_the_docs() -> None:
    alerts = re.findall(r'\(list "(Tracking\w+)"', (CHART / "templates/monitoring.yaml").read_text())
    page = (CHART.parents[1] / "docs/how-to/run-the-tracking-stack.md").read_text()
    assert len(alerts) >= 8
    assert re.findall(r"^### (Tracking\w+)$", page, re.MULTILINE) == alerts


def test_dashboard_asks_for_what_the_alerts_ask_for() -> None:
    panels = json.loads((CHART / "dashboard.json").read_text())["panels"]
    alerts = (CHART / "templates/monitoring.yaml").read_text()
    asked = {name for panel in panels for name in re.findall(r"\b(?:mlflow|kube|kubelet)_\w+", panel["targets"][0]["expr"])}
    assert len(panels) >= 8
    assert [name for name in asked if name not in alerts] == []
