"""Owns Attempt: one try at changing a deployment. It is the journal while it runs and a history run afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.plan import Outcome, Plan
from dockyard.domain.record import DeploymentRecord


class AttemptKind(str, Enum):
    """Which verb an attempt was."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    DELETE = "delete"
    RENDER = "render"
    """Written into files; another tool applies them."""
    BATCH = "batch"
    """A batch transform job, which changes no deployment."""


class AttemptStatus(str, Enum):
    """How an attempt ended, or that it has not."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something failed, as data."""

    code: str
    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: DockyardError) -> Failure:
        """The failure that an error describes."""
        return cls(code=error.code, message=error.message, hint=error.hint, details=error.details)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at changing a deployment: the journal while it runs, a history run afterwards."""

    id: str
    key: DeploymentKey
    kind: AttemptKind
    status: AttemptStatus
    actor: str
    started: str
    finished: str | None = None
    model: ModelIdentity | None = None
    revision: int | None = None
    previous: int | None = None
    endpoint: str | None = None
    plan: Plan | None = None
    outcomes: tuple[Outcome, ...] = ()
    failure: Failure | None = None
    git_revision: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagWrite:
    """A record to write on a registered model version."""

    name: str
    version: str
    key: str
    record: DeploymentRecord
    registry: str | None = None
    """As ModelIdentity.registry; None: the records beside the config."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasWrite:
    """An alias to point at a registered model version."""

    name: str
    alias: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry:
    """All that one attempt writes to the registry. Writing it twice writes it once: `attempt.id` tells."""

    attempt: Attempt
    tags: tuple[TagWrite, ...] = ()
    registry: str | None = None
    """Where the history run goes: as ModelIdentity.registry."""
    alias: AliasWrite | None = None
    """The alias that the attempt was to set and could not; `sync` sets it. An entry that is written at once does without."""
