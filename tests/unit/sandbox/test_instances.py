"""An instance type's name says how much memory its containers have."""

from __future__ import annotations

import pytest

from dockyard_sandbox.instances import find_architecture, find_memory_mb
from dockyard_sandbox.shapes import list_allowed


@pytest.mark.parametrize(
    ("instance_type", "gigabytes"),
    [
        ("ml.t2.medium", 4),
        ("ml.m5.large", 8),
        ("ml.c5.xlarge", 8),
        ("ml.r6gd.2xlarge", 64),
        ("ml.c7g.large", 4),
        ("ml.m5d.24xlarge", 384),
    ],
)
def test_memory_follows_from_family_and_size(instance_type: str, gigabytes: int) -> None:
    assert find_memory_mb(instance_type) == gigabytes * 1024


@pytest.mark.parametrize("instance_type", ["", "m5.large", "ml.x9.large", "ml.m5.metal"])
def test_name_that_says_nothing_has_no_limit(instance_type: str) -> None:
    assert find_memory_mb(instance_type) is None


@pytest.mark.parametrize(
    ("instance_type", "architecture"),
    [
        ("ml.c7g.large", "arm64"),
        ("ml.m6gd.xlarge", "arm64"),
        ("ml.c6gn.large", "arm64"),
        ("ml.r8g.medium", "arm64"),
        ("ml.p6e-gb200.36xlarge", "arm64"),
        ("ml.g4dn.xlarge", "amd64"),
        ("ml.g6e.xlarge", "amd64"),
        ("ml.m5.large", "amd64"),
        ("ml.p6-b200.48xlarge", "amd64"),
        ("", "amd64"),
    ],
)
def test_architecture_follows_from_the_family(instance_type: str, architecture: str) -> None:
    assert find_architecture(instance_type) == architecture


def test_every_type_of_endpoints_has_an_architecture_and_most_a_memory() -> None:
    types = list_allowed("sagemaker", "ProductionVariantInstanceType")
    assert len([one for one in types if find_memory_mb(one)]) > len(types) * 0.9
    assert {find_architecture(one) for one in types} == {"amd64", "arm64"}
