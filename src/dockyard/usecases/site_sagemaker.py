"""Owns the Site of SageMaker: the deployments of one environment, in one account and region."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockyard.apply.component_moves import ComponentMoves
from dockyard.apply.endpoint_moves import EndpointMoves
from dockyard.apply.sagemaker import SageMakerHandlers
from dockyard.apply.steps import Build, SharedHandlers, SuccessWriter
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError, DockyardError, NotFoundError, UsageError
from dockyard.domain.finding import refuse_what_fails
from dockyard.domain.image import (
    DEFAULT_BASE,
    DEFAULT_PLATFORM,
    HOST_BASE,
    BuilderKind,
    ImageRecipe,
    ImageSettings,
    MediaFormat,
)
from dockyard.domain.learning_container import parse_learning_container
from dockyard.domain.plan import RemoveRevision, StopRevision
from dockyard.domain.request import DeployRequest, SageMakerDeployRequest
from dockyard.domain.sagemaker import (
    ObservedSageMaker,
    RolloutKind,
    SageMakerPolicy,
    SageMakerSpec,
    derive_endpoint_name,
)
from dockyard.planning.sagemaker import WantedSageMaker, clean_up_idle, plan_delete_sagemaker, plan_sagemaker
from dockyard.ports import Answer, Clock, Invoker, Request, ResolvedModel
from dockyard.ports_sagemaker import (
    Components,
    Endpoints,
    LearningContainers,
    Packages,
    Preflight,
    Repositories,
    Revisions,
    SageMakerAccount,
    Supplies,
)
from dockyard.usecases.follow import follow_lines
from dockyard.usecases.observe import find_recorded, observe, require_found
from dockyard.usecases.site import Keep, Planned
from dockyard.usecases.workbench import Workbench

_REQUEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerPorts:
    """What a site needs of an account."""

    account: SageMakerAccount
    revisions: Revisions
    endpoints: Endpoints
    components: Components
    repositories: Repositories
    supplies: Supplies
    packages: Packages
    preflight: Preflight
    containers: LearningContainers


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerSite:
    """One environment on SageMaker."""

    ports: SageMakerPorts
    scorer: Invoker
    """Addresses are names of endpoints."""
    clock: Clock
    policy: SageMakerPolicy = field(default_factory=SageMakerPolicy)
    """What the environment's settings say: it holds for rollbacks and drift. A deploy brings its own."""

    def describe(self, key: DeploymentKey) -> ObservedSageMaker:
        """How a deployment is now."""
        return self.ports.account.describe_deployment(key)

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of the account and region."""
        return self.ports.account.list_deployments()

    def read_logs(self, key: DeploymentKey, number: int, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that the endpoint's containers have logged: the service keeps them by endpoint, not by revision.

        Raises NotFoundError `no-revision`.
        """
        require_found(key, number, self.describe(key).find_revision(number))
        name = derive_endpoint_name(key.environment, key.name)
        if follow:
            return follow_lines(lambda lines: self.ports.endpoints.read_logs(name, tail=lines), tail, self.clock)
        return iter(self.ports.endpoints.read_logs(name, tail=tail))

    def invoke(self, key: DeploymentKey, request: Request) -> Answer:
        """Send a request to the endpoint. Raises `nothing-serving`, `scorer-unreachable`, `smoke-test-failed`."""
        endpoint = self.describe(key).endpoint
        if endpoint is None or endpoint.serving_config is None:
            raise NotFoundError("nothing-serving", f"no revision of {key} serves")
        return self.scorer.invoke(endpoint.name, request, _REQUEST_SECONDS)

    def prepare(self, request: DeployRequest) -> SageMakerDeployRequest:
        """Check all that would be sent, and decide the role.

        Raises UsageError `setting-invalid`, also for the base `host`, which nothing but this machine has.
        """
        wanted = _require_sagemaker(request)
        settings = wanted.settings
        if wanted.image.base == HOST_BASE:
            raise UsageError(
                "setting-invalid",
                f"an image without a base (`{HOST_BASE}`) runs on this machine only",
                hint="leave `image.base` out, or name an image",
            )
        parse_learning_container(wanted.image.base)
        self.ports.preflight.check_settings(wanted.key, settings, wanted.policy)
        if settings.role:
            return wanted
        if not wanted.policy.create_role:
            raise UsageError(
                "setting-invalid",
                f"{wanted.key} has no execution role",
                hint="set `role` to the ARN of one that SageMaker may assume, or `create_role: true` to have it made",
            )
        role = self.ports.account.derive_role(wanted.key)
        return dataclasses.replace(wanted, settings=dataclasses.replace(settings, role=role))

    def choose_image(self, request: DeployRequest, python: str) -> ImageSettings:
        """One with Docker's media types and a base, for the processor of the instances unless the user set a platform.

        Raises what looking a Deep Learning Container up raises.
        """
        image = request.image
        platform = image.platform
        if platform == DEFAULT_PLATFORM:
            platform = self.ports.preflight.choose_platform(_require_sagemaker(request).settings)
        base = image.base or DEFAULT_BASE
        container = parse_learning_container(base)
        if container is not None:
            base = self.ports.containers.find_reference(container, _require_sagemaker(request).settings, python)
        return dataclasses.replace(image, base=base, platform=platform, format=MediaFormat.DOCKER)

    def plan_deploy(self, bench: Workbench, request: DeployRequest, model: ResolvedModel, recipe: ImageRecipe) -> Planned:
        """Plan the way to a model's revision.

        Raises ConflictError `endpoint-not-ours`, and UsageError `preflight-failed` for what is sure to fail in this account.
        """
        asked = _require_sagemaker(request)
        wanted = WantedSageMaker(
            spec=SageMakerSpec(model=model.version.identity, fingerprint=recipe.fingerprint, settings=asked.settings),
            builder=recipe.builder,
            builder_reason=recipe.reason,
            alias=request.key.environment if request.promote else None,
            history_limit=request.history_limit,
            smoke_requests=request.smoke_requests,
            policy=asked.policy,
        )
        planned = self._plan(bench, self.describe(request.key), wanted)
        return planned if planned.plan.is_empty else self._look_ahead(planned, wanted)

    def plan_revision(self, bench: Workbench, key: DeploymentKey, number: int, keep: Keep) -> Planned:
        """Plan the way to a revision that is there. Raises NotFoundError `no-revision`."""
        seen = self.describe(key)
        wanted = WantedSageMaker(
            spec=require_found(key, number, seen.find_revision(number)).spec,
            builder=BuilderKind.AUTO,
            builder_reason="the image of the revision is gone",
            alias=keep.alias,
            history_limit=keep.history_limit,
            smoke_requests=keep.smoke_requests,
            policy=_without_shadow(self.policy),
            keeps_shadow=True,
        )
        return self._plan(bench, seen, wanted)

    def plan_delete(self, bench: Workbench, key: DeploymentKey) -> Planned:
        """Plan to take a deployment away. Raises ConflictError `endpoint-not-ours`."""
        seen = self.describe(key)
        recorded = seen.serving_revision or find_recorded(bench, seen)
        plan = plan_delete_sagemaker(seen, recorded=recorded.number if recorded else None, taken_at=bench.now())
        return Planned(plan=plan, seen=seen, spec=recorded.spec if recorded else None)

    def plan_cleanup(self, key: DeploymentKey) -> tuple[RemoveRevision | StopRevision, ...]:
        """Steps for the revisions that never served, and are not on their way."""
        return tuple(RemoveRevision(number=one.number, reason=one.reason) for one in clean_up_idle(self.describe(key)))

    def clean_up(self, key: DeploymentKey, step: RemoveRevision | StopRevision) -> None:
        """Do one of these steps."""
        revision = self.describe(key).find_revision(step.number)
        if revision is not None and isinstance(step, RemoveRevision):
            self.ports.revisions.delete_revision(revision.name)

    def list_orphans(self) -> tuple[str, ...]:
        """What of Dockyard's in the account belongs to no deployment."""
        return self.ports.account.list_orphans()

    def delete_orphans(self) -> None:
        """Delete it."""
        self.ports.account.delete_orphans()

    def make_handlers(
        self, bench: Workbench, key: DeploymentKey, record: SuccessWriter, build: Build | None
    ) -> SageMakerHandlers:
        """What carries plans out."""
        ports = self.ports
        return SageMakerHandlers(
            shared=SharedHandlers(key=key, images=bench.images, writer=bench.writer, record=record, build=build),
            repositories=ports.repositories,
            revisions=ports.revisions,
            supplies=ports.supplies,
            packages=ports.packages,
            moves=EndpointMoves(key=key, endpoints=ports.endpoints, clock=bench.clock, progress=bench.progress),
            hosted=ComponentMoves(
                key=key,
                endpoints=ports.endpoints,
                components=ports.components,
                clock=bench.clock,
                progress=bench.progress,
            ),
            scorer=self.scorer,
        )

    def shall_plan_again(self, request: DeployRequest, error: DockyardError) -> bool:
        """Where somebody else moved the endpoint meanwhile, the way there is another one."""
        return (
            request.key == _require_sagemaker(request).key and isinstance(error, ConflictError) and error.code == "plan-stale"
        )

    def _look_ahead(self, planned: Planned, wanted: WantedSageMaker) -> Planned:
        """Look at the account before anything is made: what will fail is told now, what may fail is a note of the plan."""
        key = planned.plan.key
        package = wanted.policy.package
        findings = self.ports.preflight.examine(key, wanted.spec.settings, package.group if package else None)
        plan = dataclasses.replace(planned.plan, notes=(*planned.plan.notes, *refuse_what_fails(key, findings)))
        return dataclasses.replace(planned, plan=plan)

    def _plan(self, bench: Workbench, seen: ObservedSageMaker, wanted: WantedSageMaker) -> Planned:
        observed = observe(bench, seen, wanted.spec, wanted.alias)
        plan = plan_sagemaker(seen.key, wanted, observed)
        cost = self.ports.preflight.describe_cost(wanted.spec.settings, wanted.policy)
        if cost is not None and not plan.is_empty:
            plan = dataclasses.replace(plan, notes=(*plan.notes, cost))
        return Planned(plan=plan, seen=seen, spec=wanted.spec)


def _without_shadow(policy: SageMakerPolicy) -> SageMakerPolicy:
    """What served before, and what serves, is not tried in a shadow."""
    if policy.rollout.kind is not RolloutKind.SHADOW:
        return policy
    return dataclasses.replace(policy, rollout=dataclasses.replace(policy.rollout, kind=RolloutKind.ALL_AT_ONCE))


def _require_sagemaker(request: DeployRequest) -> SageMakerDeployRequest:
    if not isinstance(request, SageMakerDeployRequest):
        raise TypeError(f"{type(request).__name__} is no request for SageMaker")
    return request
