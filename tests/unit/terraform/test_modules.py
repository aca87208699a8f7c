"""Claims about the text of every Terraform module; what Terraform makes of it is for tests/lab to say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore.loaders import Loader

from terraform_readme import MODULES, Declaration, read_declarations

TERRAFORM = MODULES.parent
SOURCES = [file for suffix in ("tf", "hcl", "go", "md") for file in TERRAFORM.rglob(f"*.{suffix}")]
NAMES = sorted(file.parent.name for file in MODULES.glob("*/versions.tf"))
VARIABLES = [(name, one) for name in NAMES for one in read_declarations(MODULES / name) if one.kind == "variable"]
OUTPUTS = [(name, one) for name in NAMES for one in read_declarations(MODULES / name) if one.kind == "output"]
RUN = re.compile(r'^run "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
ACTION = re.compile(r'"([a-z0-9-]+):([A-Z][A-Za-z0-9]+|connect|\*)"')
SKIP = re.compile(r"checkov:skip=\w+:(.*)")
EVERYTHING = re.compile(r'\bResource += "\*"|\bAction += "\*"')
ALL_ACTIONS = {"kms/main.tf": {"kms:*"}, "artifacts/main.tf": {"s3:*"}}
"""Where an action may be `*`: for the account in its key's policy, and in what is denied."""
NOT_OPERATIONS = {
    "kms": {"ReEncryptFrom", "ReEncryptTo"},
    "rds-db": {"connect"},
    "s3": {"ListBucket", "ListBucketMultipartUploads", "ListMultipartUploadParts"},
    "sts": {"TagSession"},
}
"""Actions that a service has besides its operations, or by another name."""
CONDITION_KEYS = {("s3", "TlsVersion"), ("kms", "GrantIsForAWSResource"), ("kms", "ViaService")}
"""Besides those that begin with `aws:`, which no action does."""
ALL_RESOURCES = {"kms/main.tf", "network/endpoints.tf"}
"""Where a policy may be about everything: that of a key, which is what it is about; of an endpoint, which gives nothing."""


def name_case(case: object) -> str:
    return case.name if isinstance(case, Declaration) else str(case)


def read_tests(module: str) -> str:
    return "\n".join(file.read_text("utf-8") for file in sorted((MODULES / module / "tests").glob("*.tftest.hcl")))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(TERRAFORM)))
def test_no_file_is_long(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= 200


@pytest.mark.parametrize(("module", "variable"), VARIABLES, ids=name_case)
def test_variable_is_typed_described_and_validated(module: str, variable: Declaration) -> None:
    assert variable.description, module
    assert variable.type
    assert "any" not in re.findall(r"\w+", variable.type)
    assert variable.validated or variable.type == "bool", "a bool has no other values"


@pytest.mark.parametrize(("module", "variable"), VARIABLES, ids=name_case)
def test_variable_is_set_in_a_test_and_refused_in_another(module: str, variable: Declaration) -> None:
    text = read_tests(module)
    refusing = [body for _, body in RUN.findall(text) if f"expect_failures = [var.{variable.name}]" in body]
    passing = RUN.sub(lambda run: "" if "expect_failures" in run[2] else run[0], text)
    setting = re.findall(rf"^ +{variable.name} +=", passing, re.MULTILINE)

    assert setting
    assert refusing or not variable.validated


@pytest.mark.parametrize(("module", "output"), OUTPUTS, ids=name_case)
def test_output_is_described_and_asserted(module: str, output: Declaration) -> None:
    assert output.description
    assert re.search(rf"\boutput\.{output.name}\b", read_tests(module))


def list_actions() -> Iterator[tuple[str, str, str]]:
    for name in NAMES:
        for file in sorted((MODULES / name).glob("*.tf")):
            for service, action in ACTION.findall(file.read_text("utf-8")):
                if service != "aws" and (service, action) not in CONDITION_KEYS:
                    yield f"{name}/{file.name}", service, action


@cache
def list_operations(service: str) -> frozenset[str]:
    return frozenset(Loader().load_service_model(service, "service-2")["operations"])


@pytest.mark.parametrize(("file", "service", "action"), sorted(set(list_actions())))
def test_action_is_one_of_the_services(file: str, service: str, action: str) -> None:
    if action == "*":
        assert f"{service}:*" in ALL_ACTIONS.get(file, set())
    elif action not in NOT_OPERATIONS.get(service, set()):
        assert action in list_operations(service)


def test_no_policy_is_about_everything() -> None:
    found = {str(file.relative_to(MODULES)) for file in MODULES.glob("*/*.tf") if EVERYTHING.search(file.read_text("utf-8"))}

    assert found == ALL_RESOURCES


def test_a_service_acts_for_this_account_only() -> None:
    """The confused deputy: a service that somebody else's resource has act on ours."""
    serving = [text for file in MODULES.glob("*/*.tf") if "Principal = { Service" in (text := file.read_text("utf-8"))]

    assert len(serving) >= 2
    assert all('"aws:SourceAccount"' in text for text in serving)


def test_what_checkov_shall_not_look_at_is_little_and_has_a_reason() -> None:
    reasons = [reason for file in TERRAFORM.rglob("*.tf") for reason in SKIP.findall(file.read_text("utf-8"))]

    assert len(reasons) <= 5
    assert all(len(reason.split()) > 5 for reason in reasons)


def test_every_module_has_all_its_files() -> None:
    for name in NAMES:
        there = {file.name for file in (MODULES / name).iterdir()}
        assert {"README.md", "main.tf", "outputs.tf", "variables.tf", "versions.tf", "tests"} <= there


def test_everything_that_can_be_applied_is_in_the_schema() -> None:
    types = json.loads((TERRAFORM / "testing" / "types.json").read_text("utf-8"))
    for name, said in types.items():
        schema = json.loads((TERRAFORM / "testing" / "provider" / "schema" / f"{name}.json").read_text("utf-8"))
        known = schema["attributes"].keys() | schema.get("block_types", {}).keys()
        assert {*said["state"], *said.get("replace", [])} <= known, name


def test_tests_of_the_modules_are_many() -> None:
    assert sum(len(RUN.findall(read_tests(name))) for name in NAMES) >= 180
