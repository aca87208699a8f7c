"""Owns the Site of Kubernetes: the deployments of one environment, in one namespace."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.apply.k8s import K8sHandlers
from dockyard.apply.steps import Build, SharedHandlers, SuccessWriter
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, NotFoundError, UsageError
from dockyard.domain.finding import refuse_what_fails
from dockyard.domain.image import DEFAULT_BASE, HOST_BASE, LEAST_FOOTPRINT, BuilderKind, Footprint, ImageRecipe, ImageSettings
from dockyard.domain.k8s import OWN_VARIABLES, Blueprint, K8sPolicy, K8sSpec, ObservedK8s, derive_object_name
from dockyard.domain.k8s_demand import Demand, count_more_pods, name_unbuilt
from dockyard.domain.k8s_rollout import PROMOTION, K8sRollout, check_rollout
from dockyard.domain.k8s_steps import ApplyManifests
from dockyard.domain.learning_container import parse_learning_container
from dockyard.domain.plan import RemoveRevision, StopRevision
from dockyard.domain.request import DeployRequest, K8sDeployRequest
from dockyard.planning.k8s import WantedK8s, clean_up, draw_blueprint, plan_delete_k8s, plan_k8s
from dockyard.ports import Answer, Clock, Invoker, Request, ResolvedModel
from dockyard.ports_k8s import CandidateControl, CandidateMetrics, Cluster, ClusterExaminer, ClusterInventory
from dockyard.usecases.follow import follow_lines
from dockyard.usecases.observe import observe, require_found
from dockyard.usecases.site import Keep, Planned
from dockyard.usecases.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sSite:
    """One environment on Kubernetes."""

    cluster: Cluster
    control: CandidateControl
    inventory: ClusterInventory
    examiner: ClusterExaminer
    scorer: Invoker
    """Addresses are `pods/NAME` and `services/NAME`."""
    metrics: CandidateMetrics
    clock: Clock
    policy: K8sPolicy
    """What the environment's settings say: it holds for rollbacks and drift. A deploy brings its own."""
    repository: str | None
    """Where images go, without tag."""

    def describe(self, key: DeploymentKey) -> ObservedK8s:
        """How a deployment is now."""
        return self.cluster.describe_deployment(key)

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of the environment."""
        return self.inventory.list_deployments()

    def read_logs(self, key: DeploymentKey, number: int, *, follow: bool, tail: int) -> Iterator[str]:
        """Lines that the pods of a revision have logged. Raises NotFoundError `no-revision`."""
        require_found(key, number, self.describe(key).find_revision(number))
        if follow:
            pods = f"{derive_object_name(key)}-"
            return follow_lines(
                lambda lines: self.inventory.read_logs(key, number, tail=lines),
                tail,
                self.clock,
                lambda line: line.partition(": ")[0] if line.startswith(pods) else "",
            )
        return iter(self.inventory.read_logs(key, number, tail=tail))

    def invoke(self, key: DeploymentKey, request: Request) -> Answer:
        """Send a request through the Service. Raises `nothing-serving`, `scorer-unreachable`, `smoke-test-failed`."""
        serving = self.describe(key).serving_revision
        if serving is None:
            raise NotFoundError("nothing-serving", f"no revision of {key} serves")
        return self.scorer.invoke(f"services/{derive_object_name(key)}", request, serving.spec.settings.request_timeout_seconds)

    def prepare(self, request: DeployRequest) -> K8sDeployRequest:
        """Refuse what cannot work before the model is looked up. Raises UsageError `setting-invalid`."""
        wanted = _require_k8s(request)
        base = wanted.image.base
        if base == HOST_BASE or parse_learning_container(base) is not None:
            raise UsageError(
                "setting-invalid",
                f"an image on the base `{base}` does not run on Kubernetes",
                hint="leave `image.base` out, or name an image",
            )
        taken = next((name for name, _ in wanted.settings.env if name in OWN_VARIABLES), None)
        if taken is not None:
            hint = "grace, timeouts and sizes have settings of their own"
            raise UsageError("setting-invalid", f"the variable {taken} is set for every pod by Dockyard", hint=hint)
        self._require_repository()
        check_rollout(wanted.rollout, has_route=wanted.policy.has_route)
        return wanted

    def choose_image(self, request: DeployRequest, python: str) -> ImageSettings:
        """One with a base."""
        del python
        return dataclasses.replace(request.image, base=request.image.base or DEFAULT_BASE)

    def plan_deploy(self, bench: Workbench, request: DeployRequest, model: ResolvedModel, recipe: ImageRecipe) -> Planned:
        """Plan the way to a model's revision.

        Raises ConflictError `name-taken`, and UsageError `preflight-failed` for what is sure to fail in this cluster.
        """
        asked = _require_k8s(request)
        wanted = WantedK8s(
            spec=K8sSpec(model=model.version.identity, fingerprint=recipe.fingerprint, settings=asked.settings),
            builder=recipe.builder,
            builder_reason=recipe.reason,
            alias=request.key.environment if request.promote else None,
            history_limit=request.history_limit,
            smoke_requests=request.smoke_requests,
            policy=asked.policy,
            repository=self._require_repository(),
            rollout=asked.rollout,
        )
        built = bench.images.find_image(recipe.fingerprint)
        # What is not built yet is not measured: only what is sure to fail is refused.
        footprint = built.footprint if built else LEAST_FOOTPRINT
        planned = self._plan(bench, self.describe(request.key), wanted)
        return self._look_ahead(planned, wanted, recipe.settings.platform, footprint)

    def plan_revision(self, bench: Workbench, key: DeploymentKey, number: int, keep: Keep) -> Planned:
        """Plan the way to a revision that is there, by a rolling update. Raises NotFoundError `no-revision`."""
        seen = self.describe(key)
        wanted = WantedK8s(
            spec=require_found(key, number, seen.find_revision(number)).spec,
            builder=BuilderKind.AUTO,
            builder_reason="the image of the revision is gone",
            alias=keep.alias,
            history_limit=keep.history_limit,
            smoke_requests=keep.smoke_requests,
            policy=self.policy,
            repository=self.repository or "",
            rollout=PROMOTION if keep.promotes else K8sRollout(),
            keeps_candidate=keep.keeps_candidate,
        )
        return self._plan(bench, seen, wanted)

    def plan_delete(self, bench: Workbench, key: DeploymentKey) -> Planned:
        """Plan to take a deployment away. Raises ConflictError `name-taken`."""
        seen = self.describe(key)
        serving = seen.serving_revision
        plan = plan_delete_k8s(seen, taken_at=bench.now())
        return Planned(plan=plan, seen=seen, spec=serving.spec if serving else None)

    def plan_cleanup(self, key: DeploymentKey) -> tuple[RemoveRevision | StopRevision, ...]:
        """Steps for the revisions that never served, and are not on their way."""
        seen = self.describe(key)
        steps = clean_up(seen, serving=seen.serving, history_limit=len(seen.revisions) + 1)
        return tuple(step for step in steps if step.number != seen.current)

    def clean_up(self, key: DeploymentKey, step: RemoveRevision | StopRevision) -> None:
        """Do one of these steps."""
        if isinstance(step, RemoveRevision):
            self.cluster.remove_revision(key, step.number)

    def list_orphans(self) -> tuple[str, ...]:
        """Objects of Dockyard's whose Deployment is gone."""
        return self.inventory.list_orphans()

    def delete_orphans(self) -> None:
        """Delete them."""
        self.inventory.delete_orphans()

    def make_handlers(self, bench: Workbench, key: DeploymentKey, record: SuccessWriter, build: Build | None) -> K8sHandlers:
        """What carries plans out."""
        return K8sHandlers(
            shared=SharedHandlers(key=key, images=bench.images, writer=bench.writer, record=record, build=build),
            cluster=self.cluster,
            control=self.control,
            inventory=self.inventory,
            scorer=self.scorer,
            metrics=self.metrics,
            clock=bench.clock,
            progress=bench.progress,
            repository=self.repository or "",
        )

    def shall_plan_again(self, request: DeployRequest, error: DockyardError) -> bool:
        """Nothing that a plan here stands on moves by itself."""
        del request, error
        return False

    def _plan(self, bench: Workbench, seen: ObservedK8s, wanted: WantedK8s) -> Planned:
        blueprint = draw_blueprint(seen.key, wanted, seen)
        if blueprint is not None and seen.current == blueprint.number:
            seen = dataclasses.replace(seen, differences=self.cluster.find_differences(blueprint))
        observed = observe(bench, seen, wanted.spec, wanted.alias)
        return Planned(plan=plan_k8s(seen.key, wanted, observed), seen=seen, spec=wanted.spec)

    def _look_ahead(self, planned: Planned, wanted: WantedK8s, platform: str, footprint: Footprint | None) -> Planned:
        """Look at the cluster before anything is made: what will fail is told now, what may fail is a note of the plan."""
        seen, plan = planned.seen, planned.plan
        step = next((one for one in plan.steps if isinstance(one, ApplyManifests)), None)
        if step is None or not isinstance(seen, ObservedK8s):
            return planned
        image = name_unbuilt(wanted.repository)
        demand = Demand(
            blueprint=Blueprint(
                key=plan.key, number=step.number, spec=step.spec, image=image, footprint=footprint, policy=step.policy
            ),
            platform=platform,
            more_pods=count_more_pods(seen, step.policy),
            is_first=not seen.exists,
        )
        notes = refuse_what_fails(plan.key, self.examiner.examine(demand))
        return dataclasses.replace(planned, plan=dataclasses.replace(plan, notes=(*plan.notes, *notes)))

    def _require_repository(self) -> str:
        if self.repository is None:
            raise UsageError(
                "setting-invalid",
                "nothing says which registry the cluster's nodes take images from",
                hint="set `image.repository` in dockyard.yaml, or give `--repository`, as registry.example.com/team/models",
            )
        return self.repository


def _require_k8s(request: DeployRequest) -> K8sDeployRequest:
    if not isinstance(request, K8sDeployRequest):
        raise TypeError(f"{type(request).__name__} is no request for Kubernetes")
    return request
