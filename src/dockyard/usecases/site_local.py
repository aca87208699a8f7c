"""Owns the local target's Site: deployments on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.apply.local import LocalHandlers
from dockyard.apply.steps import Build, SharedHandlers, SuccessWriter
from dockyard.domain.deployment import DeploymentKey, LocalSpec, Runtime
from dockyard.domain.errors import DockyardError, NotFoundError, UsageError
from dockyard.domain.image import DEFAULT_BASE, HOST_BASE, BuilderKind, ImageRecipe, ImageSettings
from dockyard.domain.learning_container import parse_learning_container
from dockyard.domain.observed import ObservedLocal
from dockyard.domain.plan import RemoveRevision, StopRevision
from dockyard.domain.request import DeployRequest, LocalDeployRequest
from dockyard.planning.local import WantedLocal, clean_up, plan_delete, plan_local
from dockyard.ports import Answer, LocalHost, LocalInventory, LocalMachine, Request, ResolvedModel, Scorer
from dockyard.usecases.observe import observe, require_found
from dockyard.usecases.site import Keep, Planned
from dockyard.usecases.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSite:
    """This machine."""

    host: LocalHost
    inventory: LocalInventory
    machine: LocalMachine
    scorer: Scorer

    def describe(self, key: DeploymentKey) -> ObservedLocal:
        """How a deployment is now."""
        return self.host.describe_deployment(key)

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of this machine."""
        return self.inventory.list_deployments()

    def read_logs(self, key: DeploymentKey, number: int, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that a revision has logged."""
        return self.inventory.read_logs(key, number, follow=follow, tail=tail)

    def invoke(self, key: DeploymentKey, request: Request) -> Answer:
        """Send a request through the deployment's port. Raises `nothing-serving`, `scorer-unreachable`, `smoke-test-failed`."""
        local = self.describe(key)
        serving = local.serving_revision
        if serving is None or local.port is None:
            raise NotFoundError("nothing-serving", f"no revision of {key} serves")
        return self.scorer.invoke(f"127.0.0.1:{local.port}", request, serving.spec.settings.request_timeout_seconds)

    def prepare(self, request: DeployRequest) -> LocalDeployRequest:
        """Decide the runtime.

        Raises `docker-unavailable`, UsageError `port-in-use` for a port that somebody else has, and what `choose_base` raises.
        """
        local = _require_local(request)
        choose_base(local.image, None)  # what it refuses is refused before anything is looked up
        settings = dataclasses.replace(local.settings, runtime=self.machine.choose_runtime(local.settings.runtime))
        self._check_port(local.key, local.port)
        return dataclasses.replace(local, settings=settings)

    def choose_image(self, request: DeployRequest, python: str) -> ImageSettings:
        """One without a base for the process runtime, unless the user names one."""
        del python
        return choose_base(request.image, _require_local(request).settings.runtime)

    def plan_deploy(self, bench: Workbench, request: DeployRequest, model: ResolvedModel, recipe: ImageRecipe) -> Planned:
        """Plan the way to a model's revision."""
        local = _require_local(request)
        wanted = WantedLocal(
            spec=LocalSpec(model=model.version.identity, fingerprint=recipe.fingerprint, settings=local.settings),
            builder=recipe.builder,
            builder_reason=recipe.reason,
            port=local.port,
            alias=request.key.environment if request.promote else None,
            history_limit=request.history_limit,
            smoke_requests=request.smoke_requests,
        )
        return self._plan(bench, self.describe(request.key), wanted)

    def plan_revision(self, bench: Workbench, key: DeploymentKey, number: int, keep: Keep) -> Planned:
        """Plan the way to a revision that is there. Raises NotFoundError `no-revision`."""
        seen = self.describe(key)
        wanted = WantedLocal(
            spec=require_found(key, number, seen.find_revision(number)).spec,
            builder=BuilderKind.AUTO,
            builder_reason="the image of the revision is gone",
            alias=keep.alias,
            history_limit=keep.history_limit,
            smoke_requests=keep.smoke_requests,
        )
        return self._plan(bench, seen, wanted)

    def plan_delete(self, bench: Workbench, key: DeploymentKey) -> Planned:
        """Plan to take a deployment away."""
        local = self.describe(key)
        serving = local.serving_revision
        return Planned(plan=plan_delete(local, taken_at=bench.now()), seen=local, spec=serving.spec if serving else None)

    def plan_cleanup(self, key: DeploymentKey) -> tuple[RemoveRevision | StopRevision, ...]:
        """Steps for a deployment's revisions that never served, or run and should not."""
        local = self.describe(key)
        return tuple(clean_up(local, serving=local.serving, history_limit=len(local.revisions) + 1))

    def clean_up(self, key: DeploymentKey, step: RemoveRevision | StopRevision) -> None:
        """Do one of these steps."""
        if isinstance(step, RemoveRevision):
            self.host.remove_revision(key, step.number)
        else:
            self.host.stop_revision(key, step.number)

    def list_orphans(self) -> tuple[str, ...]:
        """Containers, processes and folders that belong to no deployment."""
        return self.inventory.list_orphans()

    def delete_orphans(self) -> None:
        """End and remove them."""
        self.inventory.delete_orphans()

    def make_handlers(self, bench: Workbench, key: DeploymentKey, record: SuccessWriter, build: Build | None) -> LocalHandlers:
        """What carries plans out."""
        shared = SharedHandlers(key=key, images=bench.images, writer=bench.writer, record=record, build=build)
        return LocalHandlers(shared=shared, host=self.host, inventory=self.inventory, scorer=self.scorer, clock=bench.clock)

    def shall_plan_again(self, request: DeployRequest, error: DockyardError) -> bool:
        """Where a free port was chosen for a new deployment and is taken before it is used, another one is chosen."""
        is_chosen = _require_local(request).port is None and self.describe(request.key).port is None
        return error.code == "port-in-use" and is_chosen

    def _plan(self, bench: Workbench, seen: ObservedLocal, wanted: WantedLocal) -> Planned:
        observed = observe(bench, seen, wanted.spec, wanted.alias)
        return Planned(plan=plan_local(seen.key, wanted, observed), seen=seen, spec=wanted.spec)

    def _check_port(self, key: DeploymentKey, port: int | None) -> None:
        if port is None or self.describe(key).port == port or self.machine.is_port_free(port):
            return
        raise UsageError(
            "port-in-use",
            f"another program listens on port {port}",
            hint="choose another with `--port`, or leave it out for the first free one; `dockyard status` shows who has which",
        )


def choose_base(settings: ImageSettings, runtime: Runtime | None) -> ImageSettings:
    """Decide the base: none for an image that runs under the host's Python, unless the user names one.

    Raises UsageError `setting-invalid` for a base that only an instance type of SageMaker's decides.
    """
    if parse_learning_container(settings.base) is not None:
        raise UsageError(
            "setting-invalid",
            f"`image.base` is `{settings.base}`: which container that is depends on the instances of SageMaker",
            hint="it is for `deploy sagemaker`; give an image with `--base` here",
        )
    if settings.base is not None:
        return settings
    return dataclasses.replace(settings, base=HOST_BASE if runtime is Runtime.PROCESS else DEFAULT_BASE)


def _require_local(request: DeployRequest) -> LocalDeployRequest:
    if not isinstance(request, LocalDeployRequest):
        raise TypeError(f"{type(request).__name__} is no request for the local target")
    return request
