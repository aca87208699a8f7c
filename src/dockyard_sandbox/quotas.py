"""The account's quotas for instances behind endpoints: what Service Quotas tells, and what CreateEndpoint enforces.

Owns the limits. A new account's: none of the accelerated types, some of every other. Must not count other resources.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping

from dockyard_sandbox.endpoint_state import Deployed
from dockyard_sandbox.errors import exceed_quota
from dockyard_sandbox.shapes import list_allowed
from dockyard_sandbox.world import World

DEFAULT_LIMIT = 20
_ACCELERATED = ("ml.p", "ml.g", "ml.inf", "ml.trn", "ml.dl")


class Quotas:
    """Limits by instance type."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed: dict[str, int] = {}
        self._types = tuple(list_allowed("sagemaker", "ProductionVariantInstanceType"))

    def find(self, instance_type: str) -> int:
        """How many instances of a type endpoints may have together."""
        default = 0 if instance_type.startswith(_ACCELERATED) else DEFAULT_LIMIT
        with self._lock:
            return self._changed.get(instance_type, default)

    def change(self, limits: Mapping[str, int]) -> None:
        """Set limits. Raises ValueError for a type that is none."""
        unknown = sorted(set(limits) - set(self._types))
        if unknown:
            raise ValueError(f"{unknown[0]} is no instance type of endpoints")
        with self._lock:
            self._changed.update(limits)

    def list_limits(self) -> dict[str, int]:
        """The limits of all types."""
        return {name: self.find(name) for name in self._types}

    def check(self, world: World, wanted: Deployed) -> None:
        """Raises ApiError unless the region's endpoints may have these instances as well."""
        used = count_used(world)
        for instance_type, count in _count(wanted).items():
            limit = self.find(instance_type)
            if used[instance_type] + count > limit:
                raise exceed_quota(name_quota(instance_type), value=limit, used=used[instance_type], wanted=count)


def count_used(world: World) -> Counter[str]:
    """The instances of all endpoints in a region, by type; both fleets during an update."""
    total: Counter[str] = Counter()
    with world.lock:
        for endpoint in world.endpoints.values():
            if endpoint.status != "Failed":
                total += _count(endpoint.live)
                total += _count(endpoint.pending) if endpoint.pending else Counter()
    return total


def name_quota(instance_type: str) -> str:
    """What Service Quotas calls it."""
    return f"{instance_type} for endpoint usage"


def make_quota_code(name: str) -> str:
    """A code of the shape of Service Quotas'. AWS's own codes are others: look quotas up by name."""
    return f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"


def _count(deployed: Deployed) -> Counter[str]:
    counts: Counter[str] = Counter()
    for variant in deployed.all_variants:
        instance_type = variant.definition.text("InstanceType")
        if instance_type:
            counts[instance_type] += variant.desired_count
    return counts
