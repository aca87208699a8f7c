"""Owns Site: what a target adds to the verbs. Everything else about a verb is the same for every target.

One site serves the deployments of one environment. Adding a target means a Site, its planner, its handlers and its adapters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dockyard.apply.interpreter import Handlers
from dockyard.apply.steps import Build, SuccessWriter
from dockyard.domain.deployment import DeploymentKey, Revision, RevisionSpec
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import ImageRecipe, ImageSettings
from dockyard.domain.observed import ObservedDeployment
from dockyard.domain.plan import Plan, RemoveRevision, StopRevision
from dockyard.domain.request import DeployRequest
from dockyard.ports import Answer, Request, ResolvedModel

if TYPE_CHECKING:
    from dockyard.usecases.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with what it was made from."""

    plan: Plan
    seen: ObservedDeployment
    spec: RevisionSpec | None
    """The wanted revision; None when the deployment is taken away."""

    @property
    def previous(self) -> Revision | None:
        """The revision that serves before."""
        return self.seen.serving_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What planning an existing revision needs beside it."""

    history_limit: int = 5
    smoke_requests: int = 20
    alias: str | None = None
    keeps_candidate: bool = False
    """Whether what stands beside the revision is as it should be."""
    promotes: bool = False
    """Whether the revision stands beside the serving one, and is to take over without being watched any more."""


class Planner(Protocol):
    """How a target's plans are made. All look at the world and change nothing, `prepare` included."""

    def prepare(self, request: DeployRequest) -> DeployRequest:
        """Decide what the request leaves open, and refuse what cannot work."""
        ...

    def choose_image(self, request: DeployRequest, python: str) -> ImageSettings:
        """The image that the target takes, for a model of a Python minor version."""
        ...

    def plan_deploy(self, bench: Workbench, request: DeployRequest, model: ResolvedModel, recipe: ImageRecipe) -> Planned:
        """Plan the way to a model's revision."""
        ...

    def plan_revision(self, bench: Workbench, key: DeploymentKey, number: int, keep: Keep) -> Planned:
        """Plan the way to a revision that is there; to the serving one, this is what brings it back to what it should be."""
        ...

    def plan_delete(self, bench: Workbench, key: DeploymentKey) -> Planned:
        """Plan to take a deployment away."""
        ...


class Sight(Protocol):
    """How a target's deployments are looked at."""

    def describe(self, key: DeploymentKey) -> ObservedDeployment:
        """How a deployment is now."""
        ...

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of which there is anything."""
        ...

    def read_logs(self, key: DeploymentKey, number: int, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that a revision has logged."""
        ...

    def invoke(self, key: DeploymentKey, request: Request) -> Answer:
        """Send a request to a deployment, the way that its clients do."""
        ...


class Cleaner(Protocol):
    """What of a target is left over, and taking it away."""

    def plan_cleanup(self, key: DeploymentKey) -> tuple[RemoveRevision | StopRevision, ...]:
        """Steps for a deployment's revisions that never served, or run and should not."""
        ...

    def clean_up(self, key: DeploymentKey, step: RemoveRevision | StopRevision) -> None:
        """Do one of these steps."""
        ...

    def list_orphans(self) -> tuple[str, ...]:
        """What of Dockyard's belongs to no deployment, as a person would name it."""
        ...

    def delete_orphans(self) -> None:
        """Remove all orphans."""
        ...


class Site(Planner, Sight, Cleaner, Protocol):
    """A place to deploy to."""

    def make_handlers(self, bench: Workbench, key: DeploymentKey, record: SuccessWriter, build: Build | None) -> Handlers:
        """What carries plans out."""
        ...

    def shall_plan_again(self, request: DeployRequest, error: DockyardError) -> bool:
        """Whether a deploy failed only because what its plan stood on has changed since."""
        ...


class Sites(Protocol):
    """Every place to deploy to."""

    def find(self, environment: str) -> Site:
        """The site of an environment. Raises UsageError `environment-unknown`."""
        ...

    def list(self) -> tuple[Site, ...]:
        """The sites that are in use: this machine, and the environments that are configured."""
        ...
