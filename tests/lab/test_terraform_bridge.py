"""What Terraform puts out is what the chart and Dockyard take: outputs, values, Helm, Kubernetes' schemas, in one go."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockyard.adapters.config_model import Configuration
from dockyard.domain.deployment import Target
from support.kubernetes_schemas import validate
from support.lab import ROOT
from support.terraform import TOOLS, Terraform
from terraform_test import TERRAFORM

pytestmark = pytest.mark.lab
ROLE = "arn:aws:iam::111122223333:role/mlflow"
GIVEN: dict[str, object] = {
    "image": f"registry.example.com/tracking-server@sha256:{'a' * 64}",
    "artifacts": {"bucket": "team-models", "region": "eu-west-1"},
    "database": {"host": "db.example.com", "allowed_blocks": ["10.0.8.0/24"]},
    "ingress": {
        "host": "mlflow.example.com", "class_name": "nginx", "controller_namespace": "ingress-nginx", "tls_secret": "tls"
    },
    "environments": {"prod": "models"},
}  # fmt: skip
VARIANTS = {
    "pod identity": GIVEN,
    "irsa and users": {**GIVEN, "ingress": None, "role_arn": ROLE, "users_secret": "users", "backup": {}},
}


def apply(terraform: Terraform, tool: str, variables: dict[str, object], folder: Path) -> dict[str, Any]:
    """The outputs of the module."""
    module = shutil.copytree(TERRAFORM / "modules" / "tracking", folder / "tracking")
    (module / "terraform.tfvars.json").write_text(json.dumps(variables), "utf-8")
    said = terraform.run(tool, "apply", "-auto-approve", folder=module)
    assert said.code == 0, said.text
    outputs = json.loads(terraform.run(tool, "output", "-json", folder=module).text)
    return {name: one["value"] for name, one in outputs.items()}


@pytest.fixture(scope="module", params=VARIANTS)
def outputs(request: pytest.FixtureRequest, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of Terraform, after it was seen that OpenTofu's are the same."""
    first, second = (apply(terraform, tool, VARIANTS[request.param], tmp_path_factory.mktemp(tool)) for tool in TOOLS)
    assert first == second
    return first


def test_values_are_rendered_by_the_chart_into_objects_that_kubernetes_takes(
    outputs: dict[str, Any], lab_tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = tmp_path_factory.mktemp("values") / "values.yaml"
    values.write_text(outputs["values"], "utf-8")
    command = [str(lab_tools / "helm"), "template", "team", str(ROOT / "helm" / "tracking"), "-n", "mlflow", "-f", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]

    accounts = {f"mlflow/{one['metadata']['name']}" for one in objects if one["kind"] == "ServiceAccount"}
    services = {one["metadata"]["name"] for one in objects if one["kind"] == "Service"}
    assert accounts == set(outputs["service_accounts"])
    assert outputs["url"] in {"https://mlflow.example.com", *(f"http://{name}.mlflow" for name in services)}
    assert not [one for one in objects if one["kind"] == "Secret"]
    assert len(validate(objects, tmp_path_factory).splitlines()) == 10 * len(objects)


def test_configuration_is_one_of_dockyards(outputs: dict[str, Any]) -> None:
    configuration = Configuration.model_validate(yaml.safe_load(outputs["dockyard"]))

    assert configuration.registry.tracking_uri == outputs["url"]
    assert configuration.environments["prod"].target is Target.K8S
