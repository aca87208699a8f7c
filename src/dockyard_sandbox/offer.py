"""All operations that the control plane offers.

Owns the list of their tables. What is not in it is answered with UnknownOperationException.
"""

from __future__ import annotations

from dataclasses import dataclass

from dockyard_sandbox.calls import Calls
from dockyard_sandbox.components import Components
from dockyard_sandbox.endpoint_runs import Tools
from dockyard_sandbox.endpoints import Endpoints
from dockyard_sandbox.operations.call import Operations
from dockyard_sandbox.operations.components import ComponentOperations
from dockyard_sandbox.operations.endpoint_configs import EndpointConfigOperations
from dockyard_sandbox.operations.endpoints import EndpointOperations
from dockyard_sandbox.operations.models import ModelOperations
from dockyard_sandbox.operations.packages import PackageOperations
from dockyard_sandbox.operations.roles import RoleCheck
from dockyard_sandbox.operations.tags import offer_tag_operations
from dockyard_sandbox.operations.transform_jobs import TransformJobOperations
from dockyard_sandbox.quotas import Quotas
from dockyard_sandbox.surroundings import Surroundings
from dockyard_sandbox.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What operations work on."""

    endpoints: Endpoints
    tools: Tools
    workers: Workers
    calls: Calls
    surroundings: Surroundings
    quotas: Quotas


def offer_operations(backing: Backing) -> Operations:
    """Every operation by name."""
    roles = RoleCheck(backing.surroundings.roles, backing.calls, backing.tools.faults)
    return {
        **ModelOperations(roles, backing.surroundings.model_data, backing.tools.launcher.has_image).offer(),
        **EndpointConfigOperations(roles).offer(),
        **EndpointOperations(backing.endpoints, backing.quotas).offer(),
        **ComponentOperations(Components(backing.tools, backing.workers)).offer(),
        **PackageOperations(backing.tools.pace, backing.workers).offer(),
        **TransformJobOperations(backing.tools, backing.workers, backing.surroundings.transforms).offer(),
        **offer_tag_operations(),
    }
