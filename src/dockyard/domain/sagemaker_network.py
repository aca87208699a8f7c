"""Owns Network: the network of the user's own that instances are joined to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The network of the user's that instances are joined to."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
