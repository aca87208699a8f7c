"""A Kit that remembers what it was asked and returns what it was given, and a way to call the command line with it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dockyard.cli.main import main, main_deploy
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
    ResultStatus,
    StatusResult,
    SyncResult,
)
from dockyard.domain.settings import Settings
from support import results


@dataclass(kw_only=True)
class FakeKit:
    """What each verb returns; `error` is raised instead, by whichever is called."""

    deployed: DeployResult = results.DEPLOYED
    rolled_back: DeployResult = results.ROLLED_BACK
    transformed: BatchResult = results.TRANSFORMED
    built: BuildResult = results.BUILT
    rendered: RenderResult = results.RENDERED
    listed: StatusResult = results.STATUS
    told: HistoryResult = results.HISTORY
    lines: tuple[str, ...] = ("one", "two")
    predicted: PredictResult = results.PREDICTED
    promoted: PromoteResult = results.PROMOTED
    deleted: DeleteResult = results.DELETED
    drifted: DriftResult = results.DRIFTED
    collected: GcResult = results.COLLECTED
    synced: SyncResult = results.SYNCED
    examined: DoctorResult = results.EXAMINED
    error: BaseException | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)
    settings: Settings | None = None

    def open(self, settings: Settings) -> FakeKit:
        """As `dockyard.wiring.open_kit`."""
        self.settings = settings
        return self

    def deploy(self, request: DeployRequest, *, plan_only: bool, approve: Callable[[Plan], None] | None = None) -> DeployResult:
        """As Kit."""
        self._note("deploy", request, plan_only)
        if approve is not None:
            approve(self.deployed.plan)
        return results.PLANNED if plan_only else self.deployed

    def batch(self, request: BatchRequest, *, plan_only: bool, approve: Callable[[Plan], None] | None = None) -> BatchResult:
        """As Kit."""
        self._note("batch", request, plan_only)
        if approve is not None:
            approve(self.transformed.plan)
        return replace(self.transformed, status=ResultStatus.PLANNED) if plan_only else self.transformed

    def build(self, request: BuildRequest) -> BuildResult:
        """As Kit."""
        self._note("build", request)
        return self.built

    def render(self, request: RenderRequest | TerraformRequest) -> RenderResult:
        """As Kit."""
        self._note("render", request)
        return self.rendered

    def status(self, environment: str | None, name: str | None) -> StatusResult:
        """As Kit."""
        self._note("status", environment, name)
        return self.listed

    def history(self, key: DeploymentKey, limit: int) -> HistoryResult:
        """As Kit."""
        self._note("history", key, limit)
        return self.told

    def logs(self, key: DeploymentKey, number: int | None, *, follow: bool, tail: int) -> Iterator[str]:
        """As Kit."""
        self._note("logs", key, number, follow, tail)
        return iter(self.lines)

    def predict(self, key: DeploymentKey, body: bytes | None, content_type: str) -> PredictResult:
        """As Kit."""
        self._note("predict", key, body, content_type)
        return self.predicted

    def rollback(self, request: RollbackRequest, *, plan_only: bool) -> DeployResult:
        """As Kit."""
        self._note("rollback", request, plan_only)
        return results.PLANNED if plan_only else self.rolled_back

    def promote(self, key: DeploymentKey) -> PromoteResult:
        """As Kit."""
        self._note("promote", key)
        return self.promoted

    def delete(self, request: DeleteRequest, *, plan_only: bool) -> DeleteResult:
        """As Kit."""
        self._note("delete", request, plan_only)
        return results.DELETE_PLANNED if plan_only else self.deleted

    def drift(self, key: DeploymentKey | None) -> DriftResult:
        """As Kit."""
        self._note("drift", key)
        return self.drifted

    def gc(self, *, cache_days: int, plan_only: bool) -> GcResult:
        """As Kit."""
        self._note("gc", cache_days, plan_only)
        return self.collected

    def sync(self) -> SyncResult:
        """As Kit."""
        self._note("sync")
        return self.synced

    def doctor(self) -> DoctorResult:
        """As Kit."""
        self._note("doctor")
        return self.examined

    def doctor_account(self, key: DeploymentKey, *, refresh_prices: bool) -> DoctorResult:
        """As Kit."""
        self._note("doctor_account", key, refresh_prices)
        return self.examined

    def doctor_cluster(self, key: DeploymentKey) -> DoctorResult:
        """As Kit."""
        self._note("doctor_cluster", key)
        return self.examined

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


class Terminal(io.StringIO):
    """A stdin at which a person sits."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def envelope(self) -> Mapping[str, object]:
        """stdout as the JSON envelope."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """Calls the command line in this process, in an empty folder, with a fake Kit."""

    kit: FakeKit
    capture: pytest.CaptureFixture[str]
    folder: Path

    def __call__(self, *arguments: str, entry: Callable[..., int] = main) -> Ended:
        """Run `dockyard` with arguments."""
        self.capture.readouterr()
        code = entry(arguments, open_kit=self.kit.open)
        captured = self.capture.readouterr()
        return Ended(code=code, out=captured.out, err=captured.err)

    def deploy(self, *arguments: str) -> Ended:
        """Run `deploy` with arguments."""
        return self(*arguments, entry=main_deploy)

    def returning(self, **changes: object) -> CommandLine:
        """The same with a Kit that returns something else."""
        return replace(self, kit=FakeKit(**changes))  # type: ignore[arg-type]
