"""Labels that lead back to the model, ECR's sign-in, and the commit that a command was called in."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from dockyard.adapters.ecr import find_ecr_credentials
from dockyard.adapters.git import find_commit
from dockyard.adapters.images.labels import make_labels
from dockyard.domain.errors import CredentialsError
from dockyard.domain.model import ModelVersion
from support.local_values import make_model

ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"

VERSION = ModelVersion(
    identity=dataclasses.replace(make_model(3), model_id="m-1", run_id="r-1"),
    flavors=("python_function",),
    signature=None,
    requirements=(),
    python="3.11",
    size_bytes=1,
    created="2026-03-04T05:06:07Z",
    has_input_example=True,
    git_revision="abc",
)


def test_labels_lead_back_to_version_run_and_commit_and_ask_no_clock() -> None:
    labels = make_labels(VERSION, base="python:3.11", base_digest="sha256:b")
    assert labels["dockyard.model.name"] == labels["org.opencontainers.image.title"] == "wine"
    assert labels["dockyard.model.version"] == "3"
    assert labels["dockyard.model.run-id"] == "r-1"
    assert labels["org.opencontainers.image.created"] == "2026-03-04T05:06:07Z"
    assert labels["org.opencontainers.image.revision"] == "abc"
    assert labels == make_labels(VERSION, base="python:3.11", base_digest="sha256:b")


def test_what_is_not_known_has_no_label() -> None:
    folder = dataclasses.replace(VERSION, identity=make_model(1, name=None), created=None, git_revision=None)
    labels = make_labels(folder, base="host", base_digest="host-python-3.11")
    assert "dockyard.model.name" not in labels
    assert "org.opencontainers.image.created" not in labels
    assert labels["org.opencontainers.image.title"] == folder.identity.source


@pytest.mark.parametrize("host", ["docker.io", "127.0.0.1:5000", "ecr.example.com", "12.dkr.ecr.eu-central-1.amazonaws.com"])
def test_other_registries_are_none_of_ecrs_business(host: str) -> None:
    assert find_ecr_credentials(host) is None


def test_boto3_is_not_imported_for_other_registries() -> None:
    code = "import sys, dockyard.adapters.ecr as ecr; ecr.find_ecr_credentials('docker.io'); assert 'boto3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")  # not a secret: moto takes anything
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("aws")
def test_ecr_gives_a_user_and_a_password_that_does_not_print() -> None:
    with mock_aws():
        boto3.client("ecr", region_name="eu-central-1").create_repository(repositoryName="wine")
        credentials = find_ecr_credentials(ECR)
    assert credentials is not None
    assert credentials.user == "AWS"
    assert credentials.secret.reveal() not in repr(credentials)


def test_without_aws_credentials_the_refusal_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(CredentialsError) as caught:
        find_ecr_credentials(ECR)
    assert caught.value.code == "credentials-refused"
    assert caught.value.hint is not None
    assert "ecr:GetAuthorizationToken" in caught.value.hint


def test_commit_is_found_in_a_repository_and_nowhere_else(tmp_path: Path) -> None:
    assert find_commit(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    assert find_commit(tmp_path) is None
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert find_commit(tmp_path) == head
