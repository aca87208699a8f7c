"""The chart by real Helms: both make the same of every set of values, and strict readers of manifests find nothing to say."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from kubernetes import client

import leaks
from support.checkov import scan
from support.cluster_stand_in import open_namespace
from support.tracking_renders import CHART, SETS, Json, Rendering, distinct_objects, load_objects, run_helm

pytestmark = pytest.mark.lab

WANTED_SO = {
    "no-network-policy": {"The pod does not have a matching NetworkPolicy"},
    "one-replica": {"Deployment few replicas"},
}
"""What kube-score says of sets whose very point it is."""


def test_tests_of_the_chart_pass(lab_tools: Path) -> None:
    ended = subprocess.run([lab_tools / "untt", CHART], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("tool", ["helm", "helm3"])
def test_chart_has_nothing_that_helm_warns_of(lab_tools: Path, tool: str) -> None:
    ended = run_helm(lab_tools / tool, "lint", "--strict", CHART, "--values", SETS["everything"])
    assert ended.returncode == 0, ended.stdout


def test_every_set_renders_to_the_same_bytes_twice_and_to_the_same_objects_by_both_helms(
    tracking_renders: Mapping[str, Rendering],
) -> None:
    assert len(tracking_renders) >= 20
    for name, rendering in tracking_renders.items():
        assert rendering.again == rendering.text, name
        assert load_objects(rendering.by_helm_3) == rendering.objects, name


def test_every_set_is_taken_by_an_api_server_that_is_strict_about_fields_and_pods(
    lab_kubeconfig: Path, lab_environment: dict[str, str], tracking_renders: Mapping[str, Rendering]
) -> None:
    environment = os.environ | {"PATH": lab_environment["PATH"], "KUBECONFIG": str(lab_kubeconfig)}
    with open_namespace(lab_kubeconfig) as (namespace, core):
        # Warnings of the level `restricted` are for what has pods, such as a CronJob, and not for pods only.
        labels = {"pod-security.kubernetes.io/warn": "restricted"}
        core.patch_namespace(namespace, {"metadata": {"labels": labels}})
        definitions = client.ApiextensionsV1Api(core.api_client).list_custom_resource_definition().items
        groups = {one.spec.group for one in definitions}
        objects = distinct_objects(tracking_renders.values())
        used = {one["apiVersion"].partition("/")[0] for one in objects}
        assert {"monitoring.coreos.com", "gateway.networking.k8s.io", "external-secrets.io"} <= used & groups
        command = ["kubectl", "apply", "--dry-run=server", "--validate=strict", "--namespace", namespace, "--filename", "-"]
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [put_into(one, namespace) for one in objects]})
        ended = subprocess.run(command, env=environment, input=text, check=False, capture_output=True, text=True)
        assert ended.stderr == ""
        assert len(ended.stdout.splitlines()) == len(objects)


def put_into(one: Json, namespace: str) -> Json:
    return {**one, "metadata": {**one["metadata"], "namespace": namespace}}


def test_kube_score_has_nothing_to_say(lab_tools: Path, tracking_renders: Mapping[str, Rendering]) -> None:
    command = [str(lab_tools / "kube-score"), "score", "--kubernetes-version", "v1.34", "--output-format", "ci", "-"]
    for name, rendering in tracking_renders.items():
        ended = subprocess.run(command, input=rendering.text, check=False, capture_output=True, text=True)
        lines = ended.stdout.splitlines()
        assert len(lines) > 20, ended.stderr
        said = {line.partition(": ")[2] for line in lines if not line.startswith(("[OK]", "[SKIPPED]"))}
        assert said == WANTED_SO.get(name, set()), name


def test_checkov_has_nothing_to_say(tracking_renders: Mapping[str, Rendering], tmp_path: Path) -> None:
    for name, rendering in tracking_renders.items():
        (tmp_path / f"{name}.yaml").write_text(rendering.text)
    found = scan(tmp_path, "kubernetes")
    assert found.failed == found.skipped == ()
    assert {path for path, _ in found.passed} == {f"{name}.yaml" for name in tracking_renders}


def test_nothing_that_is_rendered_looks_like_a_secret(tracking_renders: Mapping[str, Rendering]) -> None:
    for name, rendering in tracking_renders.items():
        assert not any(one["kind"] == "Secret" for one in rendering.objects), name
        for line in rendering.text.splitlines():
            assert not list(leaks.find_secrets(line)), name
