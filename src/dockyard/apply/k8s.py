"""Owns what each step means on Kubernetes, how a rollout is waited for, and how it is taken back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dockyard.apply.interpreter import Facts, Skipped
from dockyard.apply.k8s_candidate import CandidateMoves
from dockyard.apply.k8s_diagnosis import Cause
from dockyard.apply.k8s_waiting import PodWatcher
from dockyard.apply.smoke import run_smoke_test
from dockyard.apply.steps import SharedHandlers
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import ImageDigest
from dockyard.domain.k8s import Blueprint, K8sPod
from dockyard.domain.k8s_steps import (
    ApplyManifests,
    CandidateStep,
    CheckManifests,
    ConfirmRevision,
    SplitTraffic,
    StartCandidate,
    WaitRollout,
)
from dockyard.domain.plan import (
    BuildImage,
    Outcome,
    RemoveDeployment,
    RemoveRevision,
    SetAlias,
    SmokeTest,
    Step,
    WriteRecord,
)
from dockyard.domain.sagemaker_steps import PushImage
from dockyard.ports import Clock, Invoker, Progress
from dockyard.ports_k8s import CandidateControl, CandidateMetrics, Cluster, ClusterInventory


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sHandlers:
    """The steps of one deployment on Kubernetes."""

    shared: SharedHandlers
    cluster: Cluster
    inventory: ClusterInventory
    scorer: Invoker
    """Addresses are `pods/NAME`."""
    control: CandidateControl
    metrics: CandidateMetrics
    clock: Clock
    progress: Progress
    repository: str
    """Where images go."""

    @property
    def key(self) -> DeploymentKey:
        """Whose steps these are."""
        return self.shared.key

    @property
    def pods(self) -> PodWatcher:
        """What waits for pods."""
        return PodWatcher(
            key=self.key, cluster=self.cluster, inventory=self.inventory, clock=self.clock, progress=self.progress
        )

    @property
    def candidates(self) -> CandidateMoves:
        """What steps about a candidate mean."""
        return CandidateMoves(pods=self.pods, control=self.control, metrics=self.metrics)

    def perform(self, step: Step, outcomes: tuple[Outcome, ...]) -> Facts | Skipped:
        """Do a step."""
        match step:
            case BuildImage() | SetAlias() | WriteRecord():
                return self.shared.perform(step, outcomes)
            case PushImage(fingerprint=fingerprint, repository=repository):
                return (("digest", self.shared.push_image(self.shared.require_image(fingerprint), repository)),)
            case SmokeTest():
                return self._smoke_test(step)
            case CheckManifests() | ApplyManifests():
                self.cluster.apply_blueprint(self._draw(step), dry_run=isinstance(step, CheckManifests))
            case _ if isinstance(step, CandidateStep):
                return self.candidates.perform(step, self._draw)
            case _:
                self._act(step)
        return ()

    def undo(self, step: Step) -> None:
        """Take back what a step did: the objects are those of the earlier revision again, or there are none."""
        if isinstance(step, StartCandidate):
            self.candidates.retire(step.previous_policy)
        elif isinstance(step, ApplyManifests):
            self._go_back(step)

    def _go_back(self, step: ApplyManifests) -> None:
        """The candidate keeps what it has of the requests until the earlier revision has its pods again."""
        seen = self.cluster.describe_deployment(self.key)
        previous = seen.find_revision(step.previous)
        if previous is None:
            self.inventory.delete_deployment(self.key)
            return
        policy = step.previous_policy or step.policy
        blueprint = Blueprint(
            key=self.key,
            number=previous.number,
            spec=previous.spec,
            image=previous.image,
            footprint=previous.footprint,
            policy=policy,
            traffic=step.traffic if seen.candidate else None,
        )
        self.cluster.apply_blueprint(blueprint, dry_run=False)
        self.pods.wait(previous.number, previous.settings.ready_timeout_seconds)
        failed = seen.find_revision(step.number)
        if failed is not None and not failed.has_served:
            self.cluster.remove_revision(self.key, step.number)
        if seen.candidate is not None:
            self.candidates.retire(policy)

    def _act(self, step: Step) -> None:
        match step:
            case WaitRollout():
                self.pods.wait(step.number, step.timeout_seconds)
                self.pods.wait_for_route()
            case ConfirmRevision(number=number):
                self.cluster.confirm_revision(self.key, number)
            case RemoveRevision(number=number):
                self.cluster.remove_revision(self.key, number)
            case RemoveDeployment(key=key):
                self.inventory.delete_deployment(key)
            case _:
                raise TypeError(f"{step.type} is no step of Kubernetes")

    def _draw(self, step: CheckManifests | ApplyManifests | StartCandidate | SplitTraffic) -> Blueprint:
        """What is there already keeps its image, wherever that came from."""
        there = self.cluster.describe_deployment(self.key).find_revision(step.number)
        if there is not None and there.spec.spec_hash == step.spec.spec_hash:
            image, footprint = there.image, there.footprint
        else:
            built = self.shared.require_image(step.spec.fingerprint)
            image, footprint = ImageDigest(f"{self.repository}@{built.digest}"), built.footprint
        traffic = step.traffic if isinstance(step, ApplyManifests) else None
        return Blueprint(
            key=self.key,
            number=step.number,
            spec=step.spec,
            image=image,
            footprint=footprint,
            policy=step.policy,
            traffic=traffic,
        )

    def _smoke_test(self, step: SmokeTest) -> Facts | Skipped:
        """Ask every pod of the revision that is ready; together they get as many requests as the step has."""
        revision = self.cluster.describe_deployment(self.key).find_running(step.number)
        pods = [pod for pod in revision.pods if pod.is_ready] if revision else []
        if revision is None or not pods:
            raise self.pods.tell_unhealthy(
                step.number, Cause(code="revision-crashed", what="has no pod", hint="", is_final=True)
            )
        each = dataclasses.replace(step, requests=-(-step.requests // len(pods)))
        latencies: tuple[float, ...] = ()
        for pod in pods:
            found = self._ask(each, pod, revision.image)
            if isinstance(found, Skipped):
                return found
            latencies += found
        return (("requests", len(latencies)), ("latencies", latencies))

    def _ask(self, step: SmokeTest, pod: K8sPod, image: ImageDigest) -> tuple[float, ...] | Skipped:
        found = run_smoke_test(step, f"pods/{pod.name}", images=self.shared.images, scorer=self.scorer, image=image)
        if isinstance(found, Skipped):
            return found
        latencies = dict(found)["latencies"]
        return latencies if isinstance(latencies, tuple) else ()
