"""`dockyard doctor sagemaker` in a process of its own, on an account of the sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import Command
from support.sandbox_cloud import CloudBench, open_cloud

pytestmark = pytest.mark.process
CONFIG = """
environments:
  prod:
    target: sagemaker
    sagemaker: {instance: ml.c6i.xlarge, count: 2}
  gpu:
    target: sagemaker
    sagemaker: {instance: ml.g5.xlarge}
  odd:
    target: sagemaker
    sagemaker: {instance: ml.bogus, serverless: {memory_mb: 1500}}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudBench]:
    with open_cloud(tmp_path_factory.mktemp("cloud")) as opened:
        yield opened


def ask(cloud: CloudBench | None, folder: Path, *arguments: str) -> tuple[int | None, dict[str, dict[str, str]]]:
    """The exit code and the findings by code."""
    (folder / "dockyard.yaml").write_text(CONFIG)
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DOCKYARD_", "MLFLOW_"))}
    homes = {"DOCKYARD_HOME": str(folder / "home"), "DOCKYARD_CACHE": str(folder / "cache")}
    account = cloud.sandbox.environment if cloud else {"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
    places = {"AWS_CONFIG_FILE": str(folder / "aws"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "keys")}
    command = Command(
        arguments=("doctor", "sagemaker", *arguments, "--json"), folder=folder, environ={**bare, **homes, **places, **account}
    )
    code, out, err = command.wait(60)
    assert code is not None, err
    return code, {one["code"]: one for one in json.loads(out)["result"]["findings"]}


def test_ready_account_is_told_and_prices_are_kept(cloud: CloudBench, tmp_path: Path) -> None:
    code, found = ask(cloud, tmp_path, "--env", "prod", "--name", "wine", "--refresh-prices")

    assert code == 0
    assert {one["severity"] for one in found.values()} == {"ok"}
    assert "2 x ml.c6i.xlarge, us-east-1, prices of 2026-01-01" in found["cost"]["message"]
    assert ask(cloud, tmp_path, "--env", "prod")[1]["cost"] == found["cost"]


def test_quota_that_is_too_small_ends_with_1(cloud: CloudBench, tmp_path: Path) -> None:
    code, found = ask(cloud, tmp_path, "--env", "gpu")

    assert code == 1
    assert [name for name, one in found.items() if one["severity"] == "error"] == ["quota"]


def test_settings_are_told_where_there_are_no_credentials(tmp_path: Path) -> None:
    code, found = ask(None, tmp_path, "--env", "odd")

    assert code == 1
    assert found["settings"]["message"] == "`serverless.memory_mb`: is 1500; the service takes 1024 to 6144 in steps of 1024"
    assert found["credentials"]["severity"] == "error"
    assert set(found) == {"settings", "credentials"}
