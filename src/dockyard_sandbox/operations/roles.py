"""Whether SageMaker can assume a role, which a new role may not allow for a while.

Owns the check that several operations make. Must not read policies: `surroundings.Roles` does.
"""

from __future__ import annotations

from dockyard_sandbox.calls import Calls
from dockyard_sandbox.errors import refuse_role
from dockyard_sandbox.faults import Faults
from dockyard_sandbox.surroundings import Roles


class RoleCheck:
    """Checks execution roles."""

    def __init__(self, roles: Roles, calls: Calls, faults: Faults) -> None:
        self._roles = roles
        self._calls = calls
        self._faults = faults

    def check(self, role_arn: str) -> None:
        """Raises ApiError unless the role is empty or can be assumed, and seen already."""
        if not role_arn:
            return
        age = self._calls.role_age(role_arn)
        if age is not None and age < self._faults.consistency_delay("role"):
            raise refuse_role(role_arn)
        if not self._roles.is_assumable(role_arn):
            raise refuse_role(role_arn)
