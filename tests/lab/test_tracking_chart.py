"""The chart by the real helm: its own tests pass, every set of values renders alike twice and is taken by a real API server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from kubernetes import client

from support.cluster_stand_in import open_namespace

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm/tracking"
SETS = sorted((ROOT / "tests/cases/tracking_chart").glob("*.yaml"))


def run(tool: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(tool), *map(str, arguments)], check=False, capture_output=True, text=True)


def render(tools: Path, values: Path, namespace: str, *more: str) -> str:
    ended = run(tools / "helm", "template", "team", CHART, "--namespace", namespace, "--values", values, *more)
    assert ended.returncode == 0, f"{values.name}: {ended.stderr}"
    return ended.stdout


def test_tests_of_the_chart_pass(lab_tools: Path) -> None:
    ended = run(lab_tools / "untt", CHART)
    assert ended.returncode == 0, ended.stdout


def test_chart_has_nothing_that_helm_warns_of(lab_tools: Path) -> None:
    ended = run(lab_tools / "helm", "lint", "--strict", CHART, "--values", SETS[0])
    assert ended.returncode == 0, ended.stdout


def test_values_that_the_chart_does_not_know_are_refused_by_helm_itself(lab_tools: Path) -> None:
    refused = {
        "imagee.tag=1": "imagee",
        "database.hosts=db": "hosts",
        "replicas=two": "replicas",
        "migration.mode=hook": "mode",
    }
    for setting, named in refused.items():
        ended = run(lab_tools / "helm", "template", "team", CHART, "--values", SETS[0], "--set", setting)
        assert ended.returncode != 0, setting
        assert named in ended.stderr


def apply_dry(kubeconfig: Path, namespace: str, manifests: str) -> str:
    """What a real API server says, which validates every field strictly and stores nothing; empty when all is well."""
    command = ["kubectl", "apply", "--dry-run=server", "--validate=strict", "--namespace", namespace, "--filename", "-"]
    environment = dict(os.environ) | {"KUBECONFIG": str(kubeconfig)}
    ended = subprocess.run(command, env=environment, input=manifests, check=False, capture_output=True, text=True)
    return ended.stderr


def test_every_set_renders_alike_twice_and_is_taken_by_the_api_server(
    lab_tools: Path, lab_kubeconfig: Path, lab_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", lab_environment["PATH"])
    with open_namespace(lab_kubeconfig) as (namespace, core):
        installed = {one.metadata.name for one in list_definitions(core.api_client)}
        for values in SETS:
            rendered = render(lab_tools, values, namespace)
            assert render(lab_tools, values, namespace) == rendered, values.name
            assert_kinds_are_known(list(yaml.safe_load_all(rendered)), installed)
            assert apply_dry(lab_kubeconfig, namespace, rendered) == "", values.name


def list_definitions(api: client.ApiClient) -> list[client.V1CustomResourceDefinition]:
    found: list[client.V1CustomResourceDefinition] = client.ApiextensionsV1Api(api).list_custom_resource_definition().items
    return found


def assert_kinds_are_known(manifests: Sequence[dict[str, str] | None], installed: set[str]) -> None:
    groups = {one["apiVersion"].partition("/")[0] for one in manifests if one}
    for group in groups & {"monitoring.coreos.com", "gateway.networking.k8s.io", "external-secrets.io"}:
        assert any(name.endswith(f".{group}") for name in installed), group
