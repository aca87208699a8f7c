"""What an operation is given, and what it is.

Owns the types. Must not implement an operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """A call whose request has been checked."""

    operation: str
    request: Fields
    world: World


Operation = Callable[[ApiCall], Mapping[str, object]]
"""Answers a call with the operation's output. Raises ApiError."""
Operations = Mapping[str, Operation]
