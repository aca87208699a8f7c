"""What the chart does with values: Helm itself refuses all that it does not know, and templates are gone through both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import template_branches
from support.network_policies import End, Network
from support.schema_mutations import Mutation, misspell, mistype
from support.tracking_renders import CHART, NAMESPACE, ROOT, SETS, Rendering, run_helm

pytestmark = pytest.mark.lab

Json = dict[str, Any]
FAULT = re.compile(r"\s*- at '(?P<pointer>.*?)': (?:(?P<unknown>additional propert.*)|got .*)")
NETWORKS = sorted((ROOT / "tests/cases/tracking_network").glob("*.yaml"))
PAIR = re.compile(r"(?P<source>\S+) -> (?P<target>[^:\s]+):(?P<port>\d+)(?P<udp>/udp)?")


def list_mutations() -> list[Mutation]:
    schema = json.loads((CHART / "values.schema.json").read_text())
    return [misspell(schema), *mistype(schema)]


@pytest.mark.parametrize("tool", ["helm", "helm3"])
def test_every_key_misspelt_and_everything_mistyped_is_refused_by_helm_itself(
    lab_tools: Path, tool: str, tmp_path: Path
) -> None:
    count = 0
    for mutation in list_mutations():
        file = tmp_path / "values.json"
        file.write_text(json.dumps(mutation.values))
        ended = run_helm(lab_tools / tool, "template", "team", CHART, "--values", SETS["external-mysql"], "--values", file)
        assert ended.returncode != 0
        assert set(read_faults(ended.stderr)) == mutation.faults
        count += len(mutation.faults)
    assert count > 300


def read_faults(said: str) -> Iterator[tuple[str, str]]:
    """The places that Helm names."""
    for found in filter(None, map(FAULT.fullmatch, said.splitlines())):
        keys = re.findall(r"'([^']*)'", found["unknown"]) if found["unknown"] else [""]
        yield from ((found["pointer"], key) for key in keys)


def test_every_condition_of_the_templates_is_rendered_both_ways(
    lab_tools: Path, record_property: Callable[[str, object], None]
) -> None:
    sets: list[Sequence[str]] = [("--name-template", "team", "--values", str(file)) for file in SETS.values()]
    sets += [("--name-template", "tracking", "--values", str(SETS["everything"]))]
    count, untaken = template_branches.list_untaken(lab_tools / "helm", CHART, sets + list(list_refused()))
    record_property("branches", count)
    assert untaken == []
    assert count > 150


def list_refused() -> Iterator[Sequence[str]]:
    """Values of the chart's own tests of refusals, as arguments of Helm."""
    suite = yaml.safe_load((CHART / "tests/refusals_test.yaml").read_text())
    for case in suite["tests"]:
        changes = [part for key, value in case["set"].items() for part in ("--set-json", f"{key}={json.dumps(value)}")]
        (values,) = case.get("values", suite["values"])
        yield ["--name-template", "team", "--values", str(CHART / "tests" / values), *changes]


@pytest.mark.parametrize("file", NETWORKS, ids=lambda file: file.stem)
def test_policies_let_through_who_is_listed_and_nobody_else(file: Path, tracking_renders: Mapping[str, Rendering]) -> None:
    described = yaml.safe_load(file.read_text())
    for name, pairs in described["sets"].items():
        rendering = tracking_renders[name]
        policies = [one for one in rendering.objects if one["kind"] == "NetworkPolicy"]
        network = Network(policies=policies, namespaces=described["namespaces"])
        ends = {key: End(**one) for key, one in described["ends"].items()} | dict(list_ends(rendering))
        for pair in pairs["allowed"]:
            assert is_allowed(network, ends, pair), f"{name}: {pair}"
        for pair in pairs["denied"]:
            assert not is_allowed(network, ends, pair), f"{name}: {pair}"


def list_ends(rendering: Rendering) -> Iterator[tuple[str, End]]:
    """Pods of the release."""
    for component, template in rendering.find_pods().items():
        ports = {
            port["name"]: port["containerPort"]
            for container in template["spec"]["containers"]
            for port in container.get("ports", [])
        }
        yield component, End(namespace=NAMESPACE, labels=template["metadata"]["labels"], ports=ports)


def is_allowed(network: Network, ends: Mapping[str, End], pair: str) -> bool:
    found = PAIR.fullmatch(pair)
    assert found, pair
    protocol = "UDP" if found["udp"] else "TCP"
    return network.allows(ends[found["source"]], ends[found["target"]], int(found["port"]), protocol)
