"""The region is found where AWS's tools look for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.errors import UsageError
from dockyard.domain.sagemaker_place import AwsAccess


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "config").write_text("[default]\nregion = eu-central-1\n[profile bare]\noutput = json\n")


@pytest.mark.parametrize(
    ("access", "variables", "region"),
    [
        (AwsAccess(), {}, "eu-central-1"),
        (AwsAccess(), {"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        (AwsAccess(), {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-2"}, "eu-west-1"),
        (AwsAccess(profile="bare"), {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        (AwsAccess(region="ap-south-1"), {"AWS_REGION": "eu-west-1"}, "ap-south-1"),
    ],
)
def test_region_is_the_nearest_that_is_named(
    monkeypatch: pytest.MonkeyPatch, access: AwsAccess, variables: dict[str, str], region: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    session = Session(access)

    assert session.region == region
    assert session.client("sts").meta.region_name == region
    assert session.client("pricing").meta.region_name == "us-east-1"
    for service in ("sts", "pricing"):
        session.client(service).close()


def test_region_that_nothing_names_is_asked_for() -> None:
    with pytest.raises(UsageError) as caught:
        _ = Session(AwsAccess(profile="bare")).region

    assert caught.value.code == "region-unknown"
    assert "AWS_REGION" in str(caught.value.hint)
