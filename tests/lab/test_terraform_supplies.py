"""What an endpoint needs of KMS, S3, ECR and IAM is applied, changed in place and destroyed: what each service says of it.

The endpoint itself is in test_terraform_apply, and Secrets Manager in test_terraform_secrets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from support.provider_backend import serve_backend
from support.sandbox_cloud import CloudBench, open_cloud
from support.terraform import TOOLS, Terraform
from terraform_test import TERRAFORM

pytestmark = pytest.mark.lab
LOGS = "logs.us-east-1.amazonaws.com"
CONFIGURATION = """
variable "more" {
  type = bool
}

module "key" {
  source   = "%(modules)s/kms"
  name     = "team"
  services = var.more ? ["logs.us-east-1.amazonaws.com"] : []
}

module "artifacts" {
  source          = "%(modules)s/artifacts"
  bucket          = "team-models"
  kms_key_arn     = module.key.key_arn
  noncurrent_days = var.more ? 30 : 90
}

module "registry" {
  source         = "%(modules)s/registry"
  repositories   = ["team/wine"]
  kms_key_arn    = module.key.key_arn
  keep_by_prefix = var.more ? { v = 5 } : {}
}

module "role" {
  source      = "%(modules)s/sagemaker-role"
  endpoint    = "wine"
  role_name   = "wine"
  bucket      = module.artifacts.uri
  kms_key_arn = module.key.key_arn
  capture_uri = var.more ? "s3://captured/wine" : null
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What the services say."""

    key: str
    key_services: list[str]
    kept_days: int
    image_rules: int
    role: str
    captures: bool
    """Whether the role may write what is captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Of the supplies, with one of the tools."""

    made: Supplies
    changed: Supplies
    left: dict[str, list[str]]


def look(cloud: CloudBench) -> Supplies:
    """Ask every service."""
    kms, iam = cloud.client("kms"), cloud.client("iam")
    key = next(one["TargetKeyId"] for one in kms.list_aliases()["Aliases"] if one["AliasName"] == "alias/team")
    statements = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"]
    rules = cloud.client("s3").get_bucket_lifecycle_configuration(Bucket="team-models")["Rules"]
    images = cloud.client("ecr").get_lifecycle_policy(repositoryName="team/wine")["lifecyclePolicyText"]
    (policy,) = iam.list_role_policies(RoleName="wine")["PolicyNames"]
    return Supplies(
        key=key,
        key_services=[one for said in statements for one in said["Principal"].get("Service", [])],
        kept_days=next(one["NoncurrentVersionExpiration"]["NoncurrentDays"] for one in rules if one["ID"] == "versions"),
        image_rules=len(json.loads(images)["rules"]),
        role=iam.get_role(RoleName="wine")["Role"]["RoleId"],
        captures="captured/wine" in json.dumps(iam.get_role_policy(RoleName="wine", PolicyName=policy)["PolicyDocument"]),
    )


def list_left(cloud: CloudBench) -> dict[str, list[str]]:
    """The names of what there still is; a key is gone when it waits for its deletion."""
    kms = cloud.client("kms")
    keys: list[dict[str, Any]] = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    return {
        "keys": [one["KeyId"] for one in keys if one["KeyManager"] == "CUSTOMER" and one["KeyState"] != "PendingDeletion"],
        "buckets": [one["Name"] for one in cloud.client("s3").list_buckets()["Buckets"]],
        "repositories": [one["repositoryName"] for one in cloud.client("ecr").describe_repositories()["repositories"]],
        "roles": [one["RoleName"] for one in cloud.client("iam").list_roles()["Roles"]],
    }


@pytest.fixture(scope="module", params=TOOLS)
def life(request: pytest.FixtureRequest, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Made, changed and destroyed, once for all tests."""
    folder = tmp_path_factory.mktemp("supplies")
    (folder / "main.tf").write_text(CONFIGURATION % {"modules": TERRAFORM / "modules"}, "utf-8")
    found: list[Supplies] = []
    with open_cloud(folder) as cloud, serve_backend(cloud) as url:
        told = replace(terraform, environ={**terraform.environ, "STAND_IN_BACKEND": url})
        commands = [("get",), *((verb, "-auto-approve", f"-var=more={more}") for verb, more in
                    (("apply", "false"), ("apply", "true"), ("destroy", "true")))]  # fmt: skip
        for command in commands:
            said = told.run(request.param, *command, folder=folder)
            assert said.code == 0, said.text
            if command[0] == "apply":
                found.append(look(cloud))
        return Life(made=found[0], changed=found[1], left=list_left(cloud))


def test_supplies_are_as_they_were_asked_for(life: Life) -> None:
    made = life.made
    assert (made.key_services, made.kept_days, made.image_rules, made.captures) == ([], 90, 1, False)


def test_change_reaches_every_service_and_replaces_nothing(life: Life) -> None:
    changed = replace(life.made, key_services=[LOGS], kept_days=30, image_rules=2, captures=True)
    assert life.changed == changed


def test_nothing_is_left(life: Life) -> None:
    assert life.left == {"keys": [], "buckets": [], "repositories": [], "roles": []}
