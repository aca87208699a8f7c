"""Owns how much a pod gets where its user has not said so: a function of what was measured of its image, and of nothing else.

So the same image gives the same pods, wherever they are planned or rendered. Without a measurement, what fits most models.
"""

from __future__ import annotations

import math
from decimal import Decimal

from dockyard.domain.image import Footprint, round_up

MEMORY_FACTOR = 2
"""Requests are answered side by side, and may be larger than the input example."""
LEAST_MEMORY_MIB = 512
LEAST_CPU_MILLIS = 250
LOAD_AT_REQUEST_SECONDS = 64
"""On a node that is full a pod gets what it asks for: then it is to load in this time."""
READY_FACTOR = 3
LEAST_READY_SECONDS = 120
_USUAL_MEMORY = "1Gi"
LOGS_MIB = 64
"""Of the node's disk: a kubelet keeps five files of 10 MiB of a container's log."""
_FACTORS = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000**power) for power, unit in enumerate("kMGT", 1)},
    **{f"{unit}i": Decimal(1024**power) for power, unit in enumerate("KMGT", 1)},
}


def choose_memory(footprint: Footprint | None) -> str:
    """Memory that is asked for, and the most that there is."""
    if footprint is None:
        return _USUAL_MEMORY
    mib = round_up(MEMORY_FACTOR * footprint.memory_mib, LEAST_MEMORY_MIB)
    return f"{mib}Mi" if mib % 1024 else f"{mib // 1024}Gi"


def choose_cpu(footprint: Footprint | None, limit: str) -> str:
    """Processor time that is asked for: never more than the limit, as Kubernetes writes that."""
    load = footprint.load_seconds if footprint else 0
    millis = min(max(LEAST_CPU_MILLIS, 1000 * load // LOAD_AT_REQUEST_SECONDS), _read_millis(limit))
    return f"{millis}m" if millis % 1000 else str(millis // 1000)


def choose_storage(tmp_size: str) -> str:
    """The node's disk that is asked for, and the most that there is: /tmp and the log."""
    number = tmp_size.rstrip("mkKMGTi")
    size = Decimal(number) * _FACTORS.get(tmp_size[len(number) :], Decimal(1))
    return f"{math.ceil(size / 2**20) + LOGS_MIB}Mi"


def choose_ready_timeout(footprint: Footprint | None) -> int:
    """Seconds that a pod may take to become ready."""
    return max(LEAST_READY_SECONDS, READY_FACTOR * footprint.load_seconds if footprint else 0)


def _read_millis(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else round(1000 * float(cpu))
