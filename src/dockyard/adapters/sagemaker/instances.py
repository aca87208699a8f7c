"""Owns what the name of an instance type says: its family, architecture and storage. Must not know prices or quotas.

https://docs.aws.amazon.com/sagemaker/latest/dg/instance-types-az.html
"""

from __future__ import annotations

import re

from dockyard.domain.sagemaker import Instances, SageMakerSettings

ARM_PLATFORM, X86_PLATFORM = "linux/arm64", "linux/amd64"
_TYPE = re.compile(r"ml\.(?P<family>[a-z]+\d+[a-z]*(?:-[a-z0-9]+)?)\.(?P<size>[a-z0-9-]+)")
_ARM = re.compile(r"[a-z]+\d+g[a-z]*|p\d+e?-gb\d+")
"""Graviton has a `g` after the generation, as c7g and m6gd do; gb are the boards of Grace and Blackwell."""
_LOCAL_STORAGE = re.compile(r"[a-z]+\d+g?d[a-z]*|g4dn|g[5-9]e?|p[4-9][a-z]*(?:-[a-z0-9]+)?|trn\d+n?|dl\d+")


def find_family(instance_type: str) -> str | None:
    """The family, as `m5`; None for what is no instance type's name."""
    found = _TYPE.fullmatch(instance_type)
    return found["family"] if found else None


def find_platform(instance_type: str) -> str:
    """The platform that images for an instance type have."""
    family = find_family(instance_type)
    return ARM_PLATFORM if family and _ARM.fullmatch(family) else X86_PLATFORM


def has_local_storage(instance_type: str) -> bool:
    """Whether instances of the type come with disks of their own, beside a storage volume."""
    family = find_family(instance_type)
    return bool(family and _LOCAL_STORAGE.fullmatch(family))


def choose_platform(settings: SageMakerSettings) -> str:
    """The platform for a deployment; serverless endpoints run on x86 only."""
    capacity = settings.capacity
    return find_platform(capacity.instance_type) if isinstance(capacity, Instances) else X86_PLATFORM
