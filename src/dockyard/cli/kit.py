"""Owns Kit: what the command line needs of the layers below, one method for each verb. Must not implement any.

`dockyard.wiring.open_kit(settings)` makes the real one; tests pass their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.plan import Plan
from dockyard.domain.request import (
    BatchRequest,
    BuildRequest,
    DeleteRequest,
    DeployRequest,
    RenderRequest,
    RollbackRequest,
    TerraformRequest,
)
from dockyard.domain.result import (
    BatchResult,
    BuildResult,
    DeleteResult,
    DeployResult,
    DoctorResult,
    DriftResult,
    GcResult,
    HistoryResult,
    PredictResult,
    PromoteResult,
    RenderResult,
    StatusResult,
    SyncResult,
)
from dockyard.domain.settings import Settings


class Kit(Protocol):
    """The use cases, wired to the world. All raise DockyardError families only."""

    def deploy(self, request: DeployRequest, *, plan_only: bool, approve: Callable[[Plan], None] | None = None) -> DeployResult:
        """Bring a model into service. `approve` is shown the plan before anything is done, and raises where it shall not be."""
        ...

    def batch(self, request: BatchRequest, *, plan_only: bool, approve: Callable[[Plan], None] | None = None) -> BatchResult:
        """Have a model answer for objects on S3."""
        ...

    def build(self, request: BuildRequest) -> BuildResult:
        """Make a model's image."""
        ...

    def render(self, request: RenderRequest | TerraformRequest) -> RenderResult:
        """Write what a deploy would apply into a folder."""
        ...

    def status(self, environment: str | None, name: str | None) -> StatusResult:
        """How the deployments of that environment and name are; None: of all."""
        ...

    def history(self, key: DeploymentKey, limit: int) -> HistoryResult:
        """The newest attempts at a deployment."""
        ...

    def logs(self, key: DeploymentKey, number: int | None, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that a revision has logged; None: the one that serves."""
        ...

    def predict(self, key: DeploymentKey, body: bytes | None, content_type: str) -> PredictResult:
        """Ask an endpoint; None: with the model's own input example."""
        ...

    def rollback(self, request: RollbackRequest, *, plan_only: bool) -> DeployResult:
        """Bring an earlier revision back."""
        ...

    def promote(self, key: DeploymentKey) -> PromoteResult:
        """Point the alias that is called as the environment at the version that serves."""
        ...

    def delete(self, request: DeleteRequest, *, plan_only: bool) -> DeleteResult:
        """Take a deployment away."""
        ...

    def drift(self, key: DeploymentKey | None) -> DriftResult:
        """How far a deployment is from what it should be; None: all."""
        ...

    def gc(self, *, cache_days: int, plan_only: bool) -> GcResult:
        """Remove what nothing needs, and downloads that nobody has used for so many days."""
        ...

    def sync(self) -> SyncResult:
        """Send the records that could not be written."""
        ...

    def doctor(self) -> DoctorResult:
        """Look at the surroundings."""
        ...

    def doctor_account(self, key: DeploymentKey, *, refresh_prices: bool) -> DoctorResult:
        """Look at the AWS account of an environment, as a deployment to it would use it."""
        ...

    def doctor_cluster(self, key: DeploymentKey) -> DoctorResult:
        """Look at the cluster of an environment, as a deployment to it would use it."""
        ...


OpenKit = Callable[[Settings], Kit]
"""How the command line gets its Kit."""
