"""An instance type's name says how much memory its containers have."""

from __future__ import annotations

import pytest

from dockyard_sandbox.instances import find_memory_mb


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
