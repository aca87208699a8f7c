"""What is secret reaches Secrets Manager through Terraform, and neither plan nor state nor output has it."""

from __future__ import annotations

import json
import secrets
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from support.provider_backend import serve_backend
from support.sandbox_cloud import open_cloud
from support.terraform import TOOLS, Terraform
from terraform_test import TERRAFORM

pytestmark = pytest.mark.lab
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a secret was made of, twice, and all that Terraform wrote meanwhile."""

    seeds: tuple[str, str]
    stored: tuple[str, str]
    """What Secrets Manager had after each."""
    written: Mapping[str, bytes]
    """Plans, states and what was printed, by a name for each."""
    left: tuple[str, ...]


@pytest.fixture(scope="module", params=TOOLS)
def story(request: pytest.FixtureRequest, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Made, changed and destroyed, once for all tests."""
    folder = tmp_path_factory.mktemp("secret")
    module = shutil.copytree(TERRAFORM / "modules" / "secret", folder / "module")
    seeds = (f"first-{secrets.token_hex(8)}", f"second-{secrets.token_hex(8)}")
    given = {"name": "mlflow/users", "description": "users", "kms_key_arn": KEY}
    written: dict[str, bytes] = {}
    stored: list[str] = []
    told = terraform
    with open_cloud(folder) as cloud, serve_backend(cloud) as url:
        for revision, seed in enumerate(seeds, 1):
            environ = {f"TF_VAR_{name}": value for name, value in {**given, "revision": str(revision)}.items()}
            environ |= {"STAND_IN_BACKEND": url, "TF_VAR_values": json.dumps({"admin-password": seed})}
            told = replace(terraform, environ={**terraform.environ, **environ})
            for arguments in (("plan", "-out=plan"), ("show", "-json", "plan"), ("apply", "-auto-approve"), ("show", "-json")):
                said = told.run(request.param, *arguments, folder=module)
                assert said.code == 0, said.text
                written[f"{revision}: {' '.join(arguments)}"] = said.text.encode()
            written |= {f"{revision}: {name}": content for name, content in read_files(module)}
            stored.append(cloud.client("secretsmanager").get_secret_value(SecretId="mlflow/users")["SecretString"])
        destroyed = told.run(request.param, "destroy", "-auto-approve", folder=module)
        assert destroyed.code == 0, destroyed.text
        left = tuple(one["Name"] for one in cloud.client("secretsmanager").list_secrets()["SecretList"])
    return Story(seeds=seeds, stored=(stored[0], stored[1]), written=written, left=left)


def read_files(module: Path) -> Iterator[tuple[str, bytes]]:
    """Each state and plan, and what is packed in a plan."""
    for file in (*module.glob("*.tfstate*"), module / "plan"):
        yield file.name, file.read_bytes()
    with zipfile.ZipFile(module / "plan") as packed:
        yield from ((f"plan: {name}", packed.read(name)) for name in packed.namelist())


def test_values_reach_secrets_manager(story: Story) -> None:
    assert [json.loads(one)["admin-password"] for one in story.stored] == list(story.seeds)


def test_no_value_is_in_any_plan_state_or_output(story: Story) -> None:
    assert {"1: terraform.tfstate", "1: plan: tfplan", "2: plan: tfstate"} <= story.written.keys()
    told = [name for name, content in story.written.items() if any(seed.encode() in content for seed in story.seeds)]
    assert told == []


def test_other_arguments_are_found_by_the_same_search(story: Story) -> None:
    assert [name for name, content in story.written.items() if b"mlflow/users" in content and "tfstate" in name]


def test_nothing_is_left_after_destroy(story: Story) -> None:
    assert story.left == ()
