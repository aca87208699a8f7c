"""`model_package` of the configuration: what it becomes, and what is refused before anything is contacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.adapters.config_file import Surroundings, load_settings
from dockyard.domain.errors import UsageError
from dockyard.domain.sagemaker_package import Approval, PackagePolicy


def read_policy(folder: Path, section: str) -> PackagePolicy | None:
    """The policy of a configuration with that section."""
    text = f"environments: {{prod: {{target: sagemaker, sagemaker: {section}}}}}"
    (folder / "dockyard.yaml").write_text(text)
    settings = load_settings(Surroundings(folder=folder, environ={"HOME": str(folder)}))
    return settings.find_environment("prod").sagemaker.policy.package


@pytest.mark.parametrize(
    ("section", "policy"),
    [
        ("{}", None),
        ("{model_package: {group: wines}}", PackagePolicy(group="wines", approval=Approval.PENDING)),
        ("{model_package: {group: wines, approval: approved}}", PackagePolicy(group="wines", approval=Approval.APPROVED)),
    ],
)
def test_section_becomes_a_policy(tmp_path: Path, section: str, policy: PackagePolicy | None) -> None:
    assert read_policy(tmp_path, section) == policy


@pytest.mark.parametrize("section", ["{model_package: {}}", "{model_package: {group: wines, approval: rejected}}"])
def test_section_without_a_group_or_with_another_approval_is_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(UsageError, match="model_package"):
        read_policy(tmp_path, section)
