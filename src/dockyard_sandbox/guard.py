"""The policy that holds for every call, if one is set.

Owns which it is. Must not evaluate it: `policy` does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from dockyard_sandbox.calls import CallSite, Permission
from dockyard_sandbox.policy import Policy


class Guard:
    """Allows everything until a policy is set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._policy: Policy | None = None

    def set_policy(self, policy: Policy | None) -> None:
        """From now on this policy holds; None: everything is allowed."""
        with self._lock:
            self._policy = policy

    def allows(self, permission: Permission, context: Mapping[str, str]) -> bool:
        """Whether the policy gives a permission in a context of lower-case condition keys."""
        with self._lock:
            policy = self._policy
        return policy is None or policy.allows(permission, context)

    def find_denied(self, site: CallSite) -> Permission | None:
        """The first permission that a call needs and the policy does not give."""
        with self._lock:
            policy = self._policy
        return policy.find_denied(site) if policy else None
