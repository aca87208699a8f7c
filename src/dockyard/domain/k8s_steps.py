"""Owns the steps of plans for Kubernetes; see `dockyard.domain.plan` for what steps are.

A Deployment replaces pods by itself once its objects are applied, so what is applied already counts as moving traffic. Taking
it back is applying the earlier revision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from dockyard.domain.k8s import K8sPolicy, K8sSpec
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
    type: Literal["WaitRollout"] = "WaitRollout"

    def describe(self) -> str:
        return f"wait until all pods are of revision {self.number} and ready, at most {self.timeout_seconds} s for each"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRevision:
    """Note on the revision that it has been proved: from now on it is what undoing and `rollback` go back to."""

    phase: ClassVar[Phase] = Phase.COMMIT
    number: int
    type: Literal["ConfirmRevision"] = "ConfirmRevision"

    def describe(self) -> str:
        return f"note that revision {self.number} is proved"


K8sStep = CheckManifests | ApplyManifests | WaitRollout | ConfirmRevision
