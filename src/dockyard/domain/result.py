"""Owns the results: what use cases return and the renderer shows. Must not know how they are shown.

A command that did what it was asked to returns a result; one that did not raises a DockyardError. In between, `failures` hold
what went wrong after the main thing was done (exit code 3). Results hold no secrets, except inside a plan's settings, which
the renderer shows by name only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from dockyard.domain.attempt import Attempt, Failure
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.image import BuilderKind, Fingerprint, ImageDigest
from dockyard.domain.model import ModelIdentity
from dockyard.domain.observed import DeploymentState
from dockyard.domain.plan import Outcome, Plan
from dockyard.domain.settings import Provenance


class ResultStatus(str, Enum):
    """How a command ended, in one word of its own."""

    DEPLOYED = "deployed"
    STARTED = "started"
    """It goes on without being waited for."""
    ROLLED_BACK = "rolled-back"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    """What was asked for is so already; nothing was changed."""
    PLANNED = "planned"
    """`--plan`: nothing was changed."""
    PARTIAL = "partial"
    """The main thing is done; `failures` say what is not."""
    BUILT = "built"
    PUSHED = "pushed"
    RENDERED = "rendered"
    PROMOTED = "promoted"
    DONE = "done"
    DRIFTED = "drifted"
    UNHEALTHY = "unhealthy"
    """`doctor` found an error."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResult:
    """What `deploy` or `rollback` did, or with PLANNED would do."""

    status: ResultStatus
    """DEPLOYED, STARTED (`--no-wait`), ROLLED_BACK, UNCHANGED, PLANNED or PARTIAL."""
    key: DeploymentKey
    endpoint: str | None
    """URL that clients use; None where it is not known yet."""
    revision: int | None
    """The revision that serves, or would serve."""
    previous: int | None
    """The revision that served before."""
    model: ModelIdentity
    image: ImageDigest | None
    """None where the image is still to be built."""
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteResult:
    """What `delete` did, or with PLANNED would do."""

    status: ResultStatus
    """DELETED, PLANNED or PARTIAL."""
    key: DeploymentKey
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What a batch transform job did, or with PLANNED would do."""

    status: ResultStatus
    """DONE, STARTED, UNCHANGED (it runs already), PLANNED or PARTIAL."""
    key: DeploymentKey
    job: str
    """Its name, which the service knows it by."""
    output: str
    """S3 URI that the answers are below."""
    model: ModelIdentity
    image: ImageDigest | None
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The image of a model."""

    status: ResultStatus
    """BUILT, UNCHANGED (it was there already) or PUSHED."""
    model: ModelIdentity
    image: ImageDigest
    """With its repository once it is pushed."""
    fingerprint: Fingerprint
    builder: BuilderKind
    reason: str
    """Why this builder."""
    size_bytes: int
    has_proof: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderResult:
    """What `render` wrote."""

    status: ResultStatus
    """RENDERED, UNCHANGED or PARTIAL."""
    key: DeploymentKey
    folder: str
    form: str
    """The value of a RenderForm, or `terraform`."""
    revision: int
    model: ModelIdentity
    image: ImageDigest
    written: tuple[str, ...] = ()
    """Files that are new or others than before, below the folder."""
    removed: tuple[str, ...] = ()
    """Files of an earlier render that are not needed any more."""
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One deployment."""

    key: DeploymentKey
    state: DeploymentState
    endpoint: str | None = None
    revision: int | None = None
    revisions: tuple[int, ...] = ()
    """All that are kept, the serving one included."""
    model: ModelIdentity | None = None
    image: ImageDigest | None = None
    capacity: str | None = None
    """What it runs on: a runtime, or instances."""
    since: str | None = None
    """When the revision got the traffic, ISO 8601 in UTC."""
    is_recorded: bool | None = None
    """Whether the registry says the same; None where it could not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusResult:
    """The deployments that were asked about."""

    rows: tuple[StatusRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryResult:
    """The attempts at a deployment, newest first."""

    key: DeploymentKey
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictResult:
    """What an endpoint answered."""

    key: DeploymentKey
    endpoint: str
    value: object
    """The JSON value of the answer."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteResult:
    """Where an environment's alias points."""

    status: ResultStatus
    """PROMOTED or UNCHANGED."""
    key: DeploymentKey
    model: ModelIdentity
    alias: str
    version: str
    previous_version: str | None
    """Where the alias pointed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentDrift:
    """How far one deployment is from what it should be."""

    key: DeploymentKey
    plan: Plan | None
    """What would bring it back; None where it could not be planned."""
    findings: tuple[Finding, ...] = ()

    @property
    def has_drifted(self) -> bool:
        """Whether anything differs."""
        is_off = any(finding.severity is not Severity.OK for finding in self.findings)
        return is_off or (self.plan is not None and not self.plan.is_empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftResult:
    """How far deployments are from what they should be."""

    deployments: tuple[DeploymentDrift, ...]
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    """The places that could not be looked at."""

    @property
    def has_drifted(self) -> bool:
        """Whether any deployment differs."""
        return any(one.has_drifted for one in self.deployments)


@dataclass(frozen=True, slots=True, kw_only=True)
class GarbageItem:
    """Something that nothing needs."""

    kind: str
    """`image`, `orphan`, `revision`, `download`…"""
    name: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GcResult:
    """What `gc` removed, or with PLANNED would remove."""

    status: ResultStatus
    """DONE, UNCHANGED, PLANNED or PARTIAL."""
    items: tuple[GarbageItem, ...]
    freed_bytes: int = 0
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedEntry:
    """One registry entry of the queue."""

    attempt_id: str
    key: DeploymentKey
    registry: str
    run_id: str | None = None
    """The history run that was written; None while the entry still waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What `sync` sent, and what still waits."""

    sent: tuple[SyncedEntry, ...]
    pending: tuple[SyncedEntry, ...]
    failures: tuple[Failure, ...] = ()
    """Why entries still wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorResult:
    """What `doctor` found."""

    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether anything keeps Dockyard from working."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsResult:
    """Lines that a revision has logged."""

    key: DeploymentKey
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """How the sandbox is."""

    status: ResultStatus
    """DONE, or UNCHANGED where it was so already."""
    is_up: bool
    url: str | None = None
    """Of all services; a browser shows the status page there."""
    runner: str | None = None
    """`docker`, or `unpacked`: processes out of unpacked images."""
    environment: Mapping[str, str] | None = None
    """What AWS's clients need, where that was asked for. None of it is a secret: the sandbox checks no signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackResult:
    """How a tracking stack is, and what a command beside it told."""

    status: ResultStatus
    name: str
    kind: str
    """`local` or `k8s`."""
    is_up: bool
    is_ready: bool
    """Whether its server answers, with the database behind it."""
    url: str | None
    environment: Mapping[str, str]
    """What MLflow's clients need. None of it is a secret."""
    notes: tuple[str, ...] = ()
    answer: Mapping[str, object] | None = None
    """What `migrate`, `backup`, `restore` or `upgrade` told, as the commands of the server's image do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackLogsResult:
    """Lines that the servers of a stack have logged."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigResult:
    """The configuration, and where each value came from."""

    file: str | None
    values: tuple[Provenance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationResult:
    """That a configuration is valid, and which environments it has."""

    file: str | None
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaResult:
    """The JSON Schema of the configuration file."""

    schema: Mapping[str, object]
