"""Owns what each step means on Kubernetes, how a rollout is waited for, and how it is taken back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dockyard.apply.interpreter import Facts, Skipped
from dockyard.apply.k8s_diagnosis import PATIENCE_SECONDS, Cause, find_cause
from dockyard.apply.smoke import run_smoke_test
from dockyard.apply.steps import SharedHandlers
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UnhealthyError
from dockyard.domain.image import ImageDigest
from dockyard.domain.k8s import Blueprint, K8sPod, ObservedK8s
from dockyard.domain.k8s_steps import ApplyManifests, CheckManifests, ConfirmRevision, WaitRollout
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
from dockyard.ports_k8s import Cluster, ClusterInventory

_LOG_LINES = 20
_PAUSE_SECONDS = 0.5
_ROUTE_SECONDS = 20.0
"""How long a Gateway may take to take a route up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sHandlers:
    """The steps of one deployment on Kubernetes."""

    shared: SharedHandlers
    cluster: Cluster
    inventory: ClusterInventory
    scorer: Invoker
    """Addresses are `pods/NAME`."""
    clock: Clock
    progress: Progress
    repository: str
    """Where images go."""

    @property
    def key(self) -> DeploymentKey:
        """Whose steps these are."""
        return self.shared.key

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
            case _:
                self._act(step)
        return ()

    def undo(self, step: Step) -> None:
        """Take back what a step did: the objects are those of the earlier revision again, or there are none."""
        if not isinstance(step, ApplyManifests):
            return
        seen = self.cluster.describe_deployment(self.key)
        previous = seen.find_revision(step.previous)
        if previous is None:
            self.inventory.delete_deployment(self.key)
            return
        policy = step.previous_policy or step.policy
        blueprint = Blueprint(key=self.key, number=previous.number, spec=previous.spec, image=previous.image, policy=policy)
        self.cluster.apply_blueprint(blueprint, dry_run=False)
        self._wait(WaitRollout(number=previous.number, timeout_seconds=previous.spec.settings.ready_timeout_seconds))
        failed = seen.find_revision(step.number)
        if failed is not None and not failed.has_served:
            self.cluster.remove_revision(self.key, step.number)

    def _act(self, step: Step) -> None:
        match step:
            case WaitRollout():
                self._wait(step)
                self._wait_for_route()
            case ConfirmRevision(number=number):
                self.cluster.confirm_revision(self.key, number)
            case RemoveRevision(number=number):
                self.cluster.remove_revision(self.key, number)
            case RemoveDeployment(key=key):
                self.inventory.delete_deployment(key)
            case _:
                raise TypeError(f"{step.type} is no step of Kubernetes")

    def _draw(self, step: CheckManifests | ApplyManifests) -> Blueprint:
        """What is there already keeps its image, wherever that came from."""
        there = self.cluster.describe_deployment(self.key).find_revision(step.number)
        if there is not None and there.spec.spec_hash == step.spec.spec_hash:
            image = there.image
        else:
            image = ImageDigest(f"{self.repository}@{self.shared.require_image(step.spec.fingerprint).digest}")
        return Blueprint(key=self.key, number=step.number, spec=step.spec, image=image, policy=step.policy)

    def _smoke_test(self, step: SmokeTest) -> Facts | Skipped:
        """Ask every pod of the revision that is ready; together they get as many requests as the step has."""
        revision = self.cluster.describe_deployment(self.key).find_revision(step.number)
        pods = [pod for pod in revision.pods if pod.is_ready] if revision else []
        if revision is None or not pods:
            raise self._unhealthy(step.number, Cause(code="revision-crashed", what="has no pod", hint="", is_final=True))
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

    def _wait(self, step: WaitRollout) -> None:
        """Look until the rollout is over, a cause is found that waiting cannot help, or no pod gets ready any more."""
        ready, since = -1, self.clock.monotonic()
        while True:
            seen = self.cluster.describe_deployment(self.key)
            if seen.is_settled and seen.current == step.number:
                return
            count, now = _count_ready(seen, step.number), self.clock.monotonic()
            if count > ready:
                ready, since = count, now
                self.progress.advance(f"pods of revision {step.number} that are ready", count, _count_wanted(seen))
            self._judge(seen, step, now - since)
            self.clock.sleep(_PAUSE_SECONDS)

    def _wait_for_route(self) -> None:
        """Look until the Gateway takes the route that leads to the deployment, where it has one."""
        end = self.clock.monotonic() + _ROUTE_SECONDS
        while problem := self.cluster.describe_deployment(self.key).route_problem:
            if self.clock.monotonic() >= end:
                hint = "`k8s.route` names Gateway, listener and hostnames; the listener must allow routes of the namespace"
                what = f"no request from outside reaches {self.key}: {problem}"
                raise UnhealthyError("route-not-accepted", what, hint=hint)
            self.clock.sleep(_PAUSE_SECONDS)

    def _judge(self, seen: ObservedK8s, step: WaitRollout, seconds: float) -> None:
        cause = find_cause(seen.find_revision(step.number))
        if cause is not None and (cause.is_final or seconds >= PATIENCE_SECONDS):
            raise self._unhealthy(step.number, cause)
        if seconds >= step.timeout_seconds:
            what = f"is not ready after {step.timeout_seconds} s"
            hint = "the last lines of its log are above; `ready_timeout_seconds` decides how long it may take"
            raise self._unhealthy(step.number, Cause(code="revision-not-ready", what=what, hint=hint, is_final=True))

    def _unhealthy(self, number: int, cause: Cause) -> UnhealthyError:
        lines = self.inventory.read_logs(self.key, number, tail=_LOG_LINES)
        return UnhealthyError(
            cause.code, f"revision {number} of {self.key} {cause.what}", hint=cause.hint or None, details=lines[-_LOG_LINES:]
        )


def _count_ready(seen: ObservedK8s, number: int) -> int:
    revision = seen.find_revision(number)
    return sum(pod.is_ready for pod in revision.pods) if revision else 0


def _count_wanted(seen: ObservedK8s) -> int | None:
    return seen.policy.replicas if seen.policy and not seen.policy.scaling else None
