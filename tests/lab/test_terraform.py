"""The Terraform modules, as Terraform and OpenTofu see them; the AWS provider is the stand-in."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.terraform import TOOLS, Terraform
from terraform_test import CONFIGURATIONS, TERRAFORM, run_tests, serve_stand_in

pytestmark = pytest.mark.lab
RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
MISTAKES = {
    "unknown argument": ("force_delete ", "force_deletion ", "An argument named"),
    "wrong type": ("= var.force_delete", "= [var.force_delete]", "bool required"),
    "nothing said": ("  name                 = each.key\n", "", "Missing required argument"),
    "block twice": (
        "scan_on_push = true",
        "scan_on_push = true\n}\nimage_scanning_configuration {\nscan_on_push = true",
        "Too many",
    ),
}
"""What is found in the module `registry`, what is put there, and what the tools say then."""
ALWAYS = {
    "modules/tracking-ecs": {
        "aws_ecs_task_definition.this",
        "aws_iam_role.this",
        "aws_iam_role_policy.this",
        "aws_security_group.this",
        "aws_vpc_security_group_egress_rule.this",
    }
}
"""What a `for_each` makes of names that are written there: server and migration, balancer and server."""


def list_counted(module: Path) -> set[str]:
    """The resources of a module that have `count` or `for_each`."""
    blocks = (block for file in module.glob("*.tf") for block in RESOURCE.findall(file.read_text("utf-8")))
    return {f"{kind}.{name}" for kind, name, body in blocks if re.search(r"^  (count|for_each) +=", body, re.MULTILINE)}


@pytest.fixture(scope="module")
def serving(
    provider_stand_in: Path, lab_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """An environment in which both tools ask one stand-in, which stays."""
    with serve_stand_in(provider_stand_in / "terraform-provider-aws", tmp_path_factory.mktemp("serving")) as told:
        yield {**lab_environment, **told}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_every_run_passes_in_both_alike_and_every_number_of_things_is_tried(
    terraform: Terraform, serving: dict[str, str], configuration: str, tmp_path: Path
) -> None:
    first, second = (run_tests(terraform.folder / tool, configuration, tmp_path / tool, serving) for tool in TOOLS)

    assert first.statuses == dict.fromkeys(first.statuses, "pass")
    assert second.statuses == first.statuses
    if configuration.startswith("modules/"):
        counted = list_counted(TERRAFORM / configuration) - ALWAYS.get(configuration, set())
        numbers = {one: {made.get(one, 0) for made in first.made} for one in counted}
        assert {one: found for one, found in numbers.items() if len(found) < 2} == {}


@pytest.mark.parametrize("tool", TOOLS)
def test_files_are_as_the_formatter_writes_them(terraform: Terraform, tool: str) -> None:
    said = terraform.run(tool, "fmt", "-check", "-recursive", folder=TERRAFORM)

    assert (said.code, said.text) == (0, "")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_stand_in_refuses_what_the_schema_does_not_have(terraform: Terraform, tool: str, mistake: str, tmp_path: Path) -> None:
    found, put, says = MISTAKES[mistake]
    module = shutil.copytree(TERRAFORM / "modules" / "registry", tmp_path / "registry")
    text = (module / "main.tf").read_text("utf-8")
    assert found in text
    (module / "main.tf").write_text(text.replace(found, put, 1), "utf-8")
    said = terraform.run(tool, "validate", "-json", folder=module)

    summaries = [f"{one['summary']} {one['detail']}" for one in json.loads(said.text)["diagnostics"]]
    assert says in " ".join(summaries)


def test_stand_in_is_go_as_its_tools_want_it(lab_environment: dict[str, str]) -> None:
    script = ". lab/lib.sh; need_go; cd terraform/testing/provider; gofmt -l .; go vet ."
    done = subprocess.run(
        ["bash", "-c", script], cwd=TERRAFORM.parent, env=lab_environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
