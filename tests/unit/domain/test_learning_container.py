"""`dlc:<framework>@<version>` as a base: what it means, and what is refused."""

from __future__ import annotations

import pytest

from dockyard.domain.errors import UsageError
from dockyard.domain.learning_container import LearningContainer, parse_learning_container


@pytest.mark.parametrize(
    ("base", "framework", "version"),
    [
        ("dlc:pytorch", "pytorch", None),
        ("dlc:pytorch@2.6", "pytorch", "2.6"),
        ("dlc:tensorflow@2.19.0", "tensorflow", "2.19.0"),
        ("dlc:huggingface-vllm@1", "huggingface-vllm", "1"),
    ],
)
def test_framework_and_version_are_read(base: str, framework: str, version: str | None) -> None:
    found = parse_learning_container(base)
    assert found == LearningContainer(framework=framework, version=version)
    assert f"dlc:{found}" == base


@pytest.mark.parametrize("base", [None, "debian:12", "host", "registry:5000/dlc:1", "dlc/pytorch:2"])
def test_other_bases_are_none_of_them(base: str | None) -> None:
    assert parse_learning_container(base) is None


@pytest.mark.parametrize(
    "base", ["dlc:", "dlc:@2", "dlc:PyTorch", "dlc:pytorch@", "dlc:pytorch@latest", "dlc:pytorch==2", "dlc:../x"]
)
def test_what_begins_so_and_goes_on_otherwise_is_refused_with_the_form(base: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_learning_container(base)
    assert caught.value.code == "setting-invalid"
    assert "dlc:pytorch@2.6" in (caught.value.hint or "")
