"""Owns waiting for the pods of a revision, in the deployment itself or as candidate, and saying why they do not get ready."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.apply.k8s_diagnosis import PATIENCE_SECONDS, Cause, explain_slowness, find_cause
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UnhealthyError
from dockyard.domain.k8s import ObservedK8s
from dockyard.ports import Clock, Progress
from dockyard.ports_k8s import Cluster, ClusterInventory

_LOG_LINES = 20
_PAUSE_SECONDS = 0.5
_ROUTE_SECONDS = 20.0
"""How long a Gateway may take to take a route up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodWatcher:
    """Looks at the pods of one deployment."""

    key: DeploymentKey
    cluster: Cluster
    inventory: ClusterInventory
    clock: Clock
    progress: Progress

    def wait(self, number: int, timeout_seconds: float) -> None:
        """Look until all are there, a cause is found that waiting cannot help, or no pod gets ready any more.

        They get more time than is given where their image takes longer to load.
        """
        ready, since = -1, self.clock.monotonic()
        while True:
            seen = self.cluster.describe_deployment(self.key, is_watched=True)
            if seen.has_settled(number):
                return
            count, now = _count_ready(seen, number), self.clock.monotonic()
            if count > ready:
                ready, since = count, now
                self.progress.advance(f"pods of revision {number} that are ready", count, _count_wanted(seen, number))
            self._judge(seen, number, now - since, timeout_seconds)
            self.clock.sleep(_PAUSE_SECONDS)

    def wait_for_route(self) -> None:
        """Look until the Gateway takes the route that leads to the deployment, where it has one."""
        end = self.clock.monotonic() + _ROUTE_SECONDS
        while problem := self.cluster.describe_deployment(self.key).route_problem:
            if self.clock.monotonic() >= end:
                hint = "`k8s.route` names Gateway, listener and hostnames; the listener must allow routes of the namespace"
                what = f"no request from outside reaches {self.key}: {problem}"
                raise UnhealthyError("route-not-accepted", what, hint=hint)
            self.clock.sleep(_PAUSE_SECONDS)

    def tell_unhealthy(self, number: int, cause: Cause) -> UnhealthyError:
        """Return the error, with the last lines that the revision's pods have logged."""
        lines = self.inventory.read_logs(self.key, number, tail=_LOG_LINES)
        return UnhealthyError(
            cause.code, f"revision {number} of {self.key} {cause.what}", hint=cause.hint or None, details=lines[-_LOG_LINES:]
        )

    def _judge(self, seen: ObservedK8s, number: int, seconds: float, timeout_seconds: float) -> None:
        revision = seen.find_running(number)
        if revision is not None:
            timeout_seconds = max(timeout_seconds, revision.settings.ready_timeout_seconds)
        cause = find_cause(revision)
        if cause is not None and (cause.is_final or seconds >= PATIENCE_SECONDS):
            raise self.tell_unhealthy(number, cause)
        if seconds >= timeout_seconds:
            raise self.tell_unhealthy(number, explain_slowness(seen.find_running(number), timeout_seconds))


def _count_ready(seen: ObservedK8s, number: int) -> int:
    revision = seen.find_running(number)
    return sum(pod.is_ready for pod in revision.pods) if revision else 0


def _count_wanted(seen: ObservedK8s, number: int) -> int | None:
    if seen.current != number and seen.candidate is not None:
        return seen.candidate.replicas
    return seen.policy.replicas if seen.policy and not seen.policy.scaling else None
