"""Owns the Protocols between use cases and a Kubernetes cluster, at most five methods each. Must not implement any."""

from __future__ import annotations

from typing import Protocol

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.finding import Finding
from dockyard.domain.k8s import Blueprint, Difference, ObservedK8s, TrafficBlueprint
from dockyard.domain.k8s_demand import Demand
from dockyard.domain.request_counts import RequestCounts


class Cluster(Protocol):
    """The namespace that deployments run in. Every method may be repeated: what is done already is left alone."""

    def describe_deployment(self, key: DeploymentKey, *, is_watched: bool = False) -> ObservedK8s:
        """How a deployment is, looked at now. Changes nothing. With `is_watched` its other objects are not looked for.

        Raises ConflictError `name-taken` where the Deployment of that name is somebody else's.
        """
        ...

    def find_differences(self, blueprint: Blueprint) -> tuple[Difference, ...]:
        """What of a deployment's objects is not as the blueprint has it. The cluster works it out and changes nothing."""
        ...

    def apply_blueprint(self, blueprint: Blueprint, *, dry_run: bool) -> None:
        """Bring a deployment's objects to a blueprint, or its candidate's, and delete those that it has no more.

        Raises ConflictError `field-conflict`, `name-taken`, `admission-refused`, `cluster-refused`, and NotFoundError
        `kind-missing` before anything is written.
        """
        ...

    def confirm_revision(self, key: DeploymentKey, number: int) -> None:
        """Note on a revision that it has been proved, now."""
        ...

    def remove_revision(self, key: DeploymentKey, number: int) -> None:
        """Delete a revision with its pods; one that is not there is no error."""
        ...


class CandidateControl(Protocol):
    """What stands beside a deployment for a while, and what it gets of the requests. Every method may be repeated."""

    def direct_traffic(self, blueprint: TrafficBlueprint) -> None:
        """Give the candidate its share of the requests, or all of them to the stable revision. Pods stay as they are."""
        ...

    def delete_candidate(self, key: DeploymentKey) -> None:
        """Delete all objects of a deployment's candidate. Nothing may be sent to it any more."""
        ...


class CandidateMetrics(Protocol):
    """How the pods of a deployment do."""

    def read_counts(self, pod: str) -> RequestCounts:
        """What the scorer in a pod has counted. Raises UnavailableError `scorer-unreachable`."""
        ...

    def find_alert(self, url: str, expression: str) -> str | None:
        """The first result of an expression, where it has one. Raises DockyardError `prometheus-failed`."""
        ...


class ClusterInventory(Protocol):
    """What there is in the namespace, over all deployments of the environment."""

    def list_deployments(self) -> tuple[DeploymentKey, ...]:
        """All deployments of which there is anything."""
        ...

    def delete_deployment(self, key: DeploymentKey) -> None:
        """Delete all objects of a deployment, and return when they and its pods are gone."""
        ...

    def read_logs(self, key: DeploymentKey, number: int, *, tail: int) -> tuple[str, ...]:
        """The last lines that the pods of a revision have logged; those of a container that ended where none is running."""
        ...

    def list_orphans(self) -> tuple[str, ...]:
        """Objects of Dockyard's whose Deployment is gone, as `Service/wine`."""
        ...

    def delete_orphans(self) -> None:
        """Delete them."""
        ...


class ClusterExaminer(Protocol):
    """What can be told of a cluster before anything is made."""

    def examine(self, demand: Demand) -> tuple[Finding, ...]:
        """Look at server, namespace, permissions, room and nodes. Changes nothing and raises nothing."""
        ...
