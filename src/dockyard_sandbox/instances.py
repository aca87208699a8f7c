"""What an instance type is: its architecture, and how much memory its containers get.

Owns the rule behind the names of instance types. Must not list prices or quotas.
"""

from __future__ import annotations

import re

_TYPE = re.compile(r"ml\.(?P<family>[a-z]+\d+[a-z]*(?:-[a-z0-9]+)?)\.(?P<size>\d*x?[a-z]+)")
_ARM = re.compile(r"[a-z]+\d+[a-z]*g[a-z]*|[a-z]+\d+[a-z]*-gb\d+")
_GB_PER_CPU = {"c": 2, "m": 4, "r": 8, "t": 4, "g": 4, "p": 8, "i": 4}
_CPUS = {"medium": 1, "large": 2, "xlarge": 4}
_BURSTABLE_GB = {"medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}


def find_memory_mb(instance_type: str) -> int | None:
    """The memory of an instance of this type; None for a type whose name does not say."""
    found = _TYPE.fullmatch(instance_type)
    if found is None:
        return None
    family, size = found["family"], found["size"]
    if family.startswith("t"):
        burstable = _BURSTABLE_GB.get(size)
        return burstable * 1024 if burstable else None
    cpus = _count_cpus(size)
    gigabytes = _GB_PER_CPU.get(family[0])
    return cpus * gigabytes * 1024 if cpus and gigabytes else None


def find_architecture(instance_type: str) -> str:
    """`arm64` for Graviton's families, else `amd64`; that, too, for serverless endpoints, which name no type."""
    found = _TYPE.fullmatch(instance_type)
    return "arm64" if found is not None and _ARM.fullmatch(found["family"]) else "amd64"


def _count_cpus(size: str) -> int | None:
    if size in _CPUS:
        return _CPUS[size]
    times = size.removesuffix("xlarge")
    return int(times) * 4 if times.isdigit() else None
