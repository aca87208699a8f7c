"""Owns the steps of plans for Kubernetes; see `dockyard.domain.plan` for what steps are.

A Deployment replaces pods by itself once its objects are applied, so what is applied already counts as moving traffic. Taking
it back is applying the earlier revision. A candidate is taken back by giving its share to the stable revision, and deleting it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from dockyard.domain.k8s import K8sPolicy, K8sSpec
from dockyard.domain.k8s_rollout import Gate, Traffic, describe_traffic
from dockyard.domain.phase import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckManifests:
    """Have the cluster say what it would refuse, and which fields somebody else owns, before anything is written."""

    phase: ClassVar[Phase] = Phase.PREPARE
    number: int
    spec: K8sSpec
    policy: K8sPolicy
    type: Literal["CheckManifests"] = "CheckManifests"

    def describe(self) -> str:
        return f"have the cluster check the manifests of revision {self.number}, without a change"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyManifests:
    """Bring the deployment's objects to a revision, and delete those that it has no more."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int
    spec: K8sSpec
    policy: K8sPolicy
    previous: int | None
    """The revision that undoing goes back to; None: undoing takes the deployment away."""
    previous_policy: K8sPolicy | None
    traffic: Traffic | None = None
    """What of the requests the candidate has meanwhile."""
    type: Literal["ApplyManifests"] = "ApplyManifests"

    def describe(self) -> str:
        origin = f" from revision {self.previous}" if self.previous not in {None, self.number} else ""
        return f"apply the manifests of revision {self.number} of {self.spec.model.title}{origin} ({self.policy.pods})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRollout:
    """Wait until all pods are of the revision and ready, which means that each has proved itself."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int
    timeout_seconds: int
    """Without a single further pod getting ready."""
    is_candidate: bool = False
    type: Literal["WaitRollout"] = "WaitRollout"

    def describe(self) -> str:
        if self.is_candidate:
            return f"wait until all pods of candidate {self.number} are ready, at most {self.timeout_seconds} s for each"
        return f"wait until all pods are of revision {self.number} and ready, at most {self.timeout_seconds} s for each"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRevision:
    """Note on the revision that it has been proved: from now on it is what undoing and `rollback` go back to."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int
    type: Literal["ConfirmRevision"] = "ConfirmRevision"

    def describe(self) -> str:
        return f"note that revision {self.number} is proved"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCandidate:
    """Have a revision run beside the stable one, in a Deployment of its own, without requests."""

    phase: ClassVar[Phase] = Phase.PREPARE
    number: int
    spec: K8sSpec
    policy: K8sPolicy
    previous_policy: K8sPolicy
    """What undoing goes back to."""
    pods: int
    type: Literal["StartCandidate"] = "StartCandidate"

    def describe(self) -> str:
        return f"start revision {self.number} of {self.spec.model.title} as candidate ({_count(self.pods)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTraffic:
    """Give the candidate its share, as soon as it has the pods for it and they are ready."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int
    spec: K8sSpec
    policy: K8sPolicy
    traffic: Traffic
    pods: int
    stable_pods: int
    """How many it has beside it."""
    timeout_seconds: int
    """Without a single further pod getting ready."""
    type: Literal["SplitTraffic"] = "SplitTraffic"

    def describe(self) -> str:
        return f"give candidate {self.number} {describe_traffic(self.traffic, self.pods, self.stable_pods)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchCandidate:
    """Watch how the candidate does with its share; a breach of the gate takes it back."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int
    stable: int
    seconds: int
    gate: Gate
    type: Literal["WatchCandidate"] = "WatchCandidate"

    def describe(self) -> str:
        return f"watch candidate {self.number} for {self.seconds} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCandidate:
    """Give all requests to the stable revision and delete a candidate that something else is wanted instead of."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int
    policy: K8sPolicy
    type: Literal["DropCandidate"] = "DropCandidate"

    def describe(self) -> str:
        return f"give all requests to the stable revision, and delete candidate {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireCandidate:
    """The same when the new state stands."""

    phase: ClassVar[Phase] = Phase.SETTLE
    number: int
    policy: K8sPolicy
    type: Literal["RetireCandidate"] = "RetireCandidate"

    def describe(self) -> str:
        return f"give all requests to the stable revision, and delete candidate {self.number}"


CandidateStep = StartCandidate | SplitTraffic | WatchCandidate | DropCandidate | RetireCandidate
K8sStep = CheckManifests | ApplyManifests | WaitRollout | ConfirmRevision | CandidateStep


def _count(pods: int) -> str:
    return "1 pod" if pods == 1 else f"{pods} pods"
