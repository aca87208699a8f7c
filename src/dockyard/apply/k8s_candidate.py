"""Owns what becomes of a candidate on Kubernetes: started, given its share, watched, and taken away again.

Requests never go to a candidate without a ready pod; before it is deleted they go to the stable revision.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Template

from typing_extensions import assert_never

from dockyard.apply.interpreter import Facts
from dockyard.apply.k8s_diagnosis import Cause, find_cause
from dockyard.apply.k8s_gate import find_breach
from dockyard.apply.k8s_waiting import PodWatcher
from dockyard.domain.errors import DockyardError, UnhealthyError
from dockyard.domain.k8s import (
    Blueprint,
    K8sPolicy,
    K8sRevision,
    ObservedK8s,
    TrafficBlueprint,
    derive_candidate_name,
    derive_object_name,
)
from dockyard.domain.k8s_rollout import Division, Traffic
from dockyard.domain.k8s_steps import (
    CandidateStep,
    DropCandidate,
    RetireCandidate,
    SplitTraffic,
    StartCandidate,
    WatchCandidate,
)
from dockyard.domain.request_counts import RequestCounts, add_counts
from dockyard.ports_k8s import CandidateControl, CandidateMetrics

_LOOK_SECONDS = 3.0
_HEARD_SECONDS = 2.0
"""How long the proxies of a Gateway may take to hear of what it has taken."""

Tally = Mapping[str, RequestCounts]
"""By pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateMoves:
    """The steps of a plan that are about a candidate."""

    pods: PodWatcher
    control: CandidateControl
    metrics: CandidateMetrics

    def perform(self, step: CandidateStep, draw: Callable[[StartCandidate | SplitTraffic], Blueprint]) -> Facts:
        """Do a step; `draw` makes the blueprint of its revision."""
        match step:
            case StartCandidate():
                self._apply(draw(step), step.pods)
            case SplitTraffic():
                self._apply(draw(step), step.pods)
                self.pods.wait(step.number, step.timeout_seconds)
                self._direct(step.policy, step.traffic)
                self.pods.wait_for_route()
            case WatchCandidate():
                return self._watch(step)
            case DropCandidate(policy=policy) | RetireCandidate(policy=policy):
                self.retire(policy)
            case _:
                assert_never(step)
        return ()

    def retire(self, policy: K8sPolicy) -> None:
        """Give all requests to the stable revision, and delete the candidate as soon as Gateways have heard of that."""
        try:
            self._direct(policy, None)
            self.pods.wait_for_route()
        except UnhealthyError as error:  # it brings no requests to anybody
            self.pods.progress.note(error.message)
            self._write(policy, None)
        self.control.delete_candidate(self.pods.key)

    def _direct(self, policy: K8sPolicy, traffic: Traffic | None) -> None:
        """Divide the requests; at a Gateway, a candidate comes and goes with a share of nothing.

        What is behind routes and which routes there are reaches a Gateway's proxies on two ways: whatever gets a share, or has
        had one, must be known to them already, and still be known.
        """
        now = self.pods.cluster.describe_deployment(self.pods.key).traffic
        has_route = now is not None and now.by is Division.ROUTE
        gets_route = traffic is not None and traffic.by is Division.ROUTE
        if has_route != gets_route and policy.has_route:
            self._write(policy, Traffic(percent=0, by=Division.ROUTE))
            self.pods.wait_for_route()
            self.pods.clock.sleep(_HEARD_SECONDS)
        self._write(policy, traffic)

    def _write(self, policy: K8sPolicy, traffic: Traffic | None) -> None:
        self.control.direct_traffic(TrafficBlueprint(key=self.pods.key, policy=policy, traffic=traffic))

    def _apply(self, blueprint: Blueprint, pods: int) -> None:
        policy = dataclasses.replace(blueprint.policy, replicas=pods, scaling=None)
        candidate = dataclasses.replace(blueprint, is_candidate=True, policy=policy)
        self.pods.cluster.apply_blueprint(candidate, dry_run=False)

    def _watch(self, step: WatchCandidate) -> Facts:
        """Look every few seconds until the time is up. Raises UnhealthyError `gate-breached`, or what its pods say."""
        clock = self.pods.clock
        end, before = clock.monotonic() + step.seconds, self._count(self._look(step), step)
        while True:
            seen = self._look(step)
            counts = [_subtract(now, old) for now, old in zip(self._count(seen, step), before, strict=True)]
            self._judge(step, seen, *counts)
            left = end - clock.monotonic()
            if left <= 0:
                return self._conclude(step, *counts)
            clock.sleep(min(_LOOK_SECONDS, left))

    def _look(self, step: WatchCandidate) -> ObservedK8s:
        """Look. Raises UnhealthyError for a candidate whose share nobody answers any more."""
        seen = self.pods.cluster.describe_deployment(self.pods.key)
        revision = seen.find_running(step.number)
        if revision is None or not any(pod.is_ready for pod in revision.pods):
            nobody = Cause(code="revision-not-ready", what="has no pod that is ready", hint="", is_final=True)
            raise self.pods.tell_unhealthy(step.number, find_cause(revision) or nobody)
        return seen

    def _count(self, seen: ObservedK8s, step: WatchCandidate) -> tuple[Tally, Tally]:
        return self._count_pods(seen.find_running(step.number)), self._count_pods(seen.find_revision(step.stable))

    def _count_pods(self, revision: K8sRevision | None) -> Tally:
        """What the pods say that can be asked; one that is about to end has no say."""
        counts: dict[str, RequestCounts] = {}
        for pod in revision.pods if revision else ():
            try:
                counts[pod.name] = self.metrics.read_counts(pod.name)
            except DockyardError as error:
                self.pods.progress.note(f"the metrics of {pod.name} cannot be read: {error.message}")
        return counts

    def _judge(self, step: WatchCandidate, seen: ObservedK8s, candidate: RequestCounts, stable: RequestCounts) -> None:
        breach = find_breach(step.gate, candidate, stable) or self._find_alert(step, seen)
        if breach is not None:
            hint = "`gate` of the environment says what a candidate must not do; the last lines of its log are above"
            raise self.pods.tell_unhealthy(step.number, Cause(code="gate-breached", what=breach, hint=hint, is_final=True))

    def _find_alert(self, step: WatchCandidate, seen: ObservedK8s) -> str | None:
        key, gate = self.pods.key, step.gate
        names = {
            "namespace": seen.namespace,
            "stable": derive_object_name(key),
            "candidate": derive_candidate_name(key),
        }
        for alert in gate.alerts if gate.prometheus else ():
            found = self.metrics.find_alert(gate.prometheus or "", Template(alert).safe_substitute(names))
            if found is not None:
                return f"sets an alert off: {alert} gives {found}"
        return None

    def _conclude(self, step: WatchCandidate, candidate: RequestCounts, stable: RequestCounts) -> Facts:
        if candidate.requests < step.gate.min_requests:
            self.pods.progress.note(
                f"candidate {step.number} got {candidate.requests:.0f} requests, too few for its metrics to be judged"
            )
        return (
            ("requests", int(candidate.requests)),
            ("errors", int(candidate.errors)),
            ("mean_seconds", round(candidate.mean_seconds, 6)),
            ("stable_requests", int(stable.requests)),
            ("stable_errors", int(stable.errors)),
            ("stable_mean_seconds", round(stable.mean_seconds, 6)),
        )


def _subtract(now: Tally, before: Tally) -> RequestCounts:
    return add_counts(counts.since(before.get(pod, RequestCounts())) for pod, counts in now.items())
