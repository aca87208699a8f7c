"""Owns the in-memory cluster: a Deployment's rollout is over, or stuck, as soon as it is applied. For tests, ours and users'.

What a revision's pods do is said by its image. What somebody else changes by hand is said by `meddle`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockyard.domain.deployment import DeploymentKey, ProofFailure, RevisionStatus
from dockyard.domain.errors import ConflictError, DockyardError, NotFoundError, UnavailableError
from dockyard.domain.finding import Finding
from dockyard.domain.image import Fingerprint
from dockyard.domain.k8s import (
    DEFAULT_NAMESPACE,
    Blueprint,
    Difference,
    K8sCandidate,
    K8sPod,
    K8sPolicy,
    K8sRevision,
    ObservedK8s,
    TrafficBlueprint,
    derive_candidate_name,
    derive_object_name,
)
from dockyard.domain.k8s_demand import Demand
from dockyard.domain.k8s_rollout import Division, Traffic
from dockyard.domain.request_counts import RequestCounts, add_counts
from dockyard.ports import Answer, Clock, Request
from dockyard.testing.faults import Faults
from dockyard.testing.surroundings import ManualClock

_ALL = 100

READY = K8sPod(name="", is_ready=True)
NEVER_READY = K8sPod(name="", is_ready=False)
CRASHES = K8sPod(name="", is_ready=False, exit_code=1, end_reason="Error", restarts=1, waiting_reason="CrashLoopBackOff")
DIFFERS = dataclasses.replace(CRASHES, exit_code=5, proof_failure=ProofFailure.DIFFERS)


@dataclass(kw_only=True)
class _State:
    """One deployment: what was applied last, and all revisions that there are."""

    applied: Blueprint
    revisions: dict[int, K8sRevision] = field(default_factory=dict)
    replicas: int | None = None
    """What somebody else has set."""
    templates: int = 1
    """How many times another template was applied, the first one included."""
    traffic: Traffic | None = None
    candidate: K8sCandidate | None = None
    candidate_kinds: tuple[str, ...] = ()


@dataclass(kw_only=True)
class MemoryCluster:
    """Cluster, CandidateControl and ClusterInventory in memory."""

    faults: Faults = field(default_factory=Faults)
    clock: Clock = field(default_factory=ManualClock)
    namespace: str = DEFAULT_NAMESPACE
    behaviours: dict[Fingerprint, K8sPod] = field(default_factory=dict)
    """What a pod of an image is; READY where nothing is said."""
    refusals: dict[Fingerprint, str] = field(default_factory=dict)
    """What the cluster says instead of making pods of an image."""
    foreign: set[str] = field(default_factory=set)
    """Names that objects of somebody else's have."""
    orphans: list[str] = field(default_factory=list)
    lacks: set[str] = field(default_factory=set)
    """Kinds that it does not have."""
    route_problem: str = ""
    """What Gateways say instead of taking routes."""
    takes_over: bool = False
    _states: dict[DeploymentKey, _State] = field(default_factory=dict)

    def describe_deployment(self, key: DeploymentKey, *, is_watched: bool = False) -> ObservedK8s:
        """As it was left."""
        del is_watched
        self._check_name(key)
        state = self._states.get(key)
        if state is None:
            return ObservedK8s(key=key, namespace=self.namespace)
        revisions = tuple(one for _, one in sorted(state.revisions.items()))
        current = state.applied.number
        serving = _find_serving(revisions, current)
        return ObservedK8s(
            key=key,
            revisions=revisions,
            serving=serving,
            serving_since=next((one.served_at for one in revisions if one.number == serving), None),
            next_number=max((*state.revisions, *_number(state.candidate), state.templates), default=0) + 1,
            namespace=self.namespace,
            objects=tuple(_list_objects(state)),
            current=current,
            is_settled=current in state.revisions and state.revisions[current].status is RevisionStatus.READY,
            policy=state.applied.policy,
            candidate=state.candidate,
            traffic=state.traffic,
            route_problem=self.route_problem if "HTTPRoute" in state.applied.policy.list_kinds() else "",
        )

    def find_differences(self, blueprint: Blueprint) -> tuple[Difference, ...]:
        """The number of pods, the rest of the policy, and objects that are there and should not be, or the other way round."""
        state = self._states.get(blueprint.key)
        there = set(_list_own(state.applied)) if state else set()
        wanted = set(_list_own(blueprint))
        found = [Difference(what=one, before=None, after="there") for one in sorted(wanted - there)]
        found += [Difference(what=one, before="there", after=None) for one in sorted(there - wanted)]
        if state is not None:
            replicas = state.replicas or state.applied.policy.replicas
            if replicas != blueprint.policy.replicas and not blueprint.policy.scaling:
                what = f"Deployment/{derive_object_name(blueprint.key)} spec.replicas"
                found.append(Difference(what=what, before=str(replicas), after=str(blueprint.policy.replicas)))
            if state.traffic != blueprint.traffic:
                what = f"Service/{derive_object_name(blueprint.key)} spec.selector"
                found.append(Difference(what=what, before=str(state.traffic), after=str(blueprint.traffic)))
            if state.applied.policy != blueprint.policy:
                what = f"Deployment/{derive_object_name(blueprint.key)} metadata.annotations.dockyard.io/policy"
                found.append(Difference(what=what, before=str(state.applied.policy), after=str(blueprint.policy)))
        return tuple(found)

    def apply_blueprint(self, blueprint: Blueprint, *, dry_run: bool) -> None:
        """Roll out at once, or get stuck with a pod that is what its image makes it."""
        self._check_name(blueprint.key)
        self._check_kinds(blueprint)
        self._check_conflict(blueprint)
        if dry_run:
            return
        if blueprint.is_candidate:
            with self.faults.watch(f"apply_candidate {blueprint.number}"):
                self._start_candidate(self._states[blueprint.key], blueprint)
            return
        with self.faults.watch(f"apply_blueprint {blueprint.number}"):
            state = self._states.setdefault(blueprint.key, _State(applied=blueprint))
            state.templates += blueprint.number != state.applied.number
            state.applied, state.replicas, state.traffic = blueprint, None, blueprint.traffic
            self._roll_out(state)

    def direct_traffic(self, blueprint: TrafficBlueprint) -> None:
        """Note it."""
        with self.faults.watch(f"direct_traffic {blueprint.traffic.percent if blueprint.traffic else 0}"):
            state = self._states.get(blueprint.key)
            if state is not None:
                state.traffic = blueprint.traffic

    def delete_candidate(self, key: DeploymentKey) -> None:
        """Forget it."""
        with self.faults.watch("delete_candidate"):
            if key in self._states:
                self._states[key].candidate, self._states[key].candidate_kinds = None, ()

    def list_served(self, key: DeploymentKey) -> tuple[int, ...]:
        """The revisions that requests to the Service reach now."""
        state = self._states[key]
        ready = [one.number for one in state.revisions.values() if any(pod.is_ready for pod in one.pods)]
        beside = state.candidate.revision if state.candidate else None
        candidate = [beside.number] if beside is not None and any(pod.is_ready for pod in beside.pods) else []
        if state.traffic is None or state.traffic.by is not Division.PODS:
            return tuple(ready)
        return tuple(candidate if state.traffic.percent == _ALL else {*ready, *candidate})

    def confirm_revision(self, key: DeploymentKey, number: int) -> None:
        """Note the time on it."""
        with self.faults.watch(f"confirm_revision {number}"):
            state = self._states.get(key)
            if state is None or number not in state.revisions:
                raise NotFoundError("no-revision", f"{key} has no revision {number}")
            proved = dataclasses.replace(state.revisions[number], has_served=True, served_at=self.clock.now().isoformat())
            state.revisions[number] = proved

    def remove_revision(self, key: DeploymentKey, number: int) -> None:
        """Forget it."""
        with self.faults.watch(f"remove_revision {number}"):
            state = self._states.get(key)
            if state is not None:
                state.revisions.pop(number, None)

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All that there are, sorted."""
        return tuple(sorted(self._states, key=str))

    def delete_deployment(self, key: DeploymentKey) -> None:
        """Forget all of it."""
        with self.faults.watch(f"delete_deployment {key}"):
            self._states.pop(key, None)

    def read_logs(self, key: DeploymentKey, number: int, *, tail: int) -> tuple[str, ...]:
        """One line for each pod."""
        revision = self.describe_deployment(key).find_revision(number)
        lines = [f"{pod.name}: {'ready' if pod.is_ready else 'loading'}" for pod in revision.pods] if revision else []
        return tuple(lines[max(len(lines) - tail, 0) :])

    def list_orphans(self) -> tuple[str, ...]:
        """Those that were put there."""
        return tuple(self.orphans)

    def delete_orphans(self) -> None:
        """Forget them."""
        with self.faults.watch("delete_orphans"):
            self.orphans.clear()

    def meddle(self, key: DeploymentKey, replicas: int) -> None:
        """Set the number of pods, as somebody does with kubectl."""
        self._states[key].replicas = replicas

    def lose_candidate_pods(self, key: DeploymentKey) -> None:
        """Take the pods of a candidate away, as a node that is lost does."""
        candidate = self._states[key].candidate
        if candidate is not None:
            revision = dataclasses.replace(candidate.revision, pods=(), status=RevisionStatus.STARTING)
            self._states[key].candidate = dataclasses.replace(candidate, revision=revision, is_settled=False)

    def _start_candidate(self, state: _State, blueprint: Blueprint) -> None:
        revision = self._make_pods(_make_revision(blueprint, self.clock.now().isoformat()), blueprint)
        is_settled = revision.status is RevisionStatus.READY
        state.candidate = K8sCandidate(revision=revision, replicas=blueprint.policy.replicas, is_settled=is_settled)
        state.candidate_kinds = blueprint.kinds

    def _roll_out(self, state: _State) -> None:
        blueprint = state.applied
        revision = state.revisions.get(blueprint.number)
        if revision is None or revision.spec != blueprint.spec:
            revision = _make_revision(blueprint, self.clock.now().isoformat())
        made = self._make_pods(revision, blueprint)
        is_ready = made.status is RevisionStatus.READY
        others = {number: _stop(one) for number, one in state.revisions.items()} if is_ready else dict(state.revisions)
        state.revisions = {**others, blueprint.number: made}

    def _make_pods(self, revision: K8sRevision, blueprint: Blueprint) -> K8sRevision:
        """The revision with the pods that its image makes."""
        pod = self.behaviours.get(blueprint.spec.fingerprint, READY)
        refusal = self.refusals.get(blueprint.spec.fingerprint, "")
        is_ready = pod.is_ready and not refusal
        pods = range(_count_pods(blueprint.policy) if is_ready else int(not refusal))
        named = tuple(dataclasses.replace(pod, name=f"{revision.replica_set}-{number}") for number in pods)
        failed = RevisionStatus.FAILED if pod.waiting_reason else RevisionStatus.STARTING
        status = RevisionStatus.READY if is_ready else failed
        return dataclasses.replace(revision, status=status, pods=named, refusal=refusal)

    def _check_name(self, key: DeploymentKey) -> None:
        name = derive_object_name(key)
        if name in self.foreign:
            raise ConflictError("name-taken", f"Deployment {name} in namespace {self.namespace} was not made for {key}")

    def _check_kinds(self, blueprint: Blueprint) -> None:
        lacking = next((kind for kind in blueprint.policy.list_kinds() if kind in self.lacks), None)
        if lacking is not None:
            raise NotFoundError("kind-missing", f"the cluster has no {lacking}")

    def _check_conflict(self, blueprint: Blueprint) -> None:
        state = self._states.get(blueprint.key) if not blueprint.is_candidate else None
        is_free = self.takes_over or blueprint.policy.scaling is not None
        if state is not None and state.replicas not in {None, blueprint.policy.replicas} and not is_free:
            raise ConflictError("field-conflict", "spec.replicas: is owned by another manager")


@dataclass(kw_only=True)
class MemoryExaminer:
    """ClusterExaminer whose findings are given."""

    findings: tuple[Finding, ...] = ()
    demands: list[Demand] = field(default_factory=list)
    """What was asked about."""

    def examine(self, demand: Demand) -> tuple[Finding, ...]:
        """As was said."""
        self.demands.append(demand)
        return self.findings


@dataclass(kw_only=True)
class MemoryKubeScorer:
    """Invoker whose pods and Services are those of an in-memory cluster."""

    cluster: MemoryCluster
    answer: object = field(default_factory=lambda: {"predictions": [1]})
    differences: dict[Fingerprint, str] = field(default_factory=dict)
    """Where the answers of an image differ."""
    failures: list[DockyardError] = field(default_factory=list)
    """What the next requests fail with."""
    asked: list[str] = field(default_factory=list)

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """The same answer to every request, from whatever is ready."""
        del request, timeout_seconds
        self.asked.append(address)
        if self.failures:
            raise self.failures.pop(0)
        if address not in set(self._list_addresses()):
            raise UnavailableError("scorer-unreachable", f"{address} cannot be asked through the API server")
        return Answer(value=self.answer, seconds=0.001)

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """As was said."""
        del answer
        return self.differences.get(fingerprint)

    def _list_addresses(self) -> Iterator[str]:
        for key in self.cluster.list_deployments():
            seen = self.cluster.describe_deployment(key)
            for revision in (*seen.revisions, *((seen.candidate.revision,) if seen.candidate else ())):
                ready = [pod.name for pod in revision.pods if pod.is_ready]
                yield from (f"pods/{name}" for name in ready)
                yield from (f"services/{derive_object_name(key)}" for _ in ready[:1])


@dataclass(kw_only=True)
class MemoryMetrics:
    """CandidateMetrics whose pods have answered at every look as many requests more as is said."""

    rates: dict[str, RequestCounts] = field(default_factory=dict)
    """By the beginning of pods' names."""
    alerts: dict[str, str] = field(default_factory=dict)
    """Results by what an expression begins with."""
    failures: list[DockyardError] = field(default_factory=list)
    """What the next looks at a pod fail with."""
    _looks: Counter[str] = field(default_factory=Counter)

    def read_counts(self, pod: str) -> RequestCounts:
        """What came together so far."""
        if self.failures:
            raise self.failures.pop(0)
        rate = next((one for name, one in self.rates.items() if pod.startswith(name)), RequestCounts())
        self._looks[pod] += 1
        return add_counts([rate] * self._looks[pod])

    def find_alert(self, url: str, expression: str) -> str | None:
        """As was said."""
        del url
        return next((result for begin, result in self.alerts.items() if expression.startswith(begin)), None)


def _make_revision(blueprint: Blueprint, now: str) -> K8sRevision:
    name = derive_candidate_name(blueprint.key) if blueprint.is_candidate else derive_object_name(blueprint.key)
    return K8sRevision(
        number=blueprint.number,
        spec=blueprint.spec,
        image=blueprint.image,
        status=RevisionStatus.STARTING,
        has_served=False,
        created=now,
        replica_set=f"{name}-{blueprint.number}",
        footprint=blueprint.footprint,
    )


def _count_pods(policy: K8sPolicy) -> int:
    return policy.scaling.min_replicas if policy.scaling else policy.replicas


def _stop(revision: K8sRevision) -> K8sRevision:
    return dataclasses.replace(revision, status=RevisionStatus.STOPPED, pods=(), refusal="")


def _find_serving(revisions: tuple[K8sRevision, ...], current: int) -> int | None:
    proved = {one.number: one.served_at or "" for one in revisions if one.served_at}
    return current if current in proved else max(proved, key=lambda number: proved[number], default=None)


def _number(candidate: K8sCandidate | None) -> tuple[int, ...]:
    return (candidate.revision.number,) if candidate else ()


def _list_objects(state: _State) -> Iterator[str]:
    key, own, beside = state.applied.key, state.applied.kinds, state.candidate_kinds
    for kind in dict.fromkeys((*own, *beside)):
        yield from (f"{kind}/{derive_object_name(key)}" for _ in range(own.count(kind)))
        yield from (f"{kind}/{derive_candidate_name(key)}" for _ in range(beside.count(kind)))


def _list_own(blueprint: Blueprint) -> Iterator[str]:
    yield from (f"{kind}/{derive_object_name(blueprint.key)}" for kind in blueprint.kinds)
