"""Owns the words for how a new revision comes on Kubernetes: beside which shares of the requests, and what takes it back.

None of it is in any object when a rollout is over: however a revision came, the objects are the same in the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from dockyard.domain.errors import UsageError

MOST_BY_PODS = 50
"""The largest share below 100 that a candidate can have by its pods, where the old revision keeps all of its own."""


class K8sRolloutKind(str, Enum):
    """How a new revision comes."""

    ROLLING = "rolling"
    """Kubernetes' own rolling update, with nothing unavailable and no candidate."""
    BLUE_GREEN = "blue-green"
    """A candidate gets all requests at once."""
    CANARY = "canary"
    """A candidate gets share after share."""
    SHADOW = "shadow"
    """A candidate gets copies of requests, and nobody gets its answers."""


class Division(str, Enum):
    """What divides the requests between stable revision and candidate."""

    PODS = "pods"
    """The Service: it selects the pods of one of them, or of both."""
    ROUTE = "route"
    """The HTTPRoute, by weights."""
    MIRROR = "mirror"
    """The HTTPRoute, by copies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What of the requests the candidate gets."""

    percent: int
    by: Division


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a candidate must not do while it gets requests, by its scorers' own metrics or by Prometheus."""

    error_percent: float | None = 1.0
    """How many more of a hundred answers than the stable revision's may have a 5xx status."""
    latency_ms: int | None = None
    """The most that the slowest answer in a hundred (p99) may take, in milliseconds."""
    slower_percent: float | None = None
    """By how much its answers may take longer than the stable revision's, in the mean."""
    min_requests: int = 20
    """With fewer answers nothing is judged by metrics."""
    prometheus: str | None = None
    """URL of a Prometheus that is asked `alerts`."""
    alerts: tuple[str, ...] = ()
    """PromQL as in alerting rules: what has a result is a breach. $namespace, $stable and $candidate are filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class K8sRollout:
    """How a new revision comes."""

    kind: K8sRolloutKind = K8sRolloutKind.ROLLING
    steps: tuple[int, ...] = (10, 50, 100)
    """CANARY: the shares, ascending."""
    wait_seconds: int = 300
    """How long the gate is watched after each share, and the time of a SHADOW."""
    shadow_percent: int = 100
    """SHADOW: the share of requests that are copied."""
    pause: bool = False
    """Whether it stands still at the first share until somebody says go on."""
    gate: Gate = field(default_factory=Gate)

    @property
    def shares(self) -> tuple[int, ...]:
        """What a candidate gets, one after the other."""
        each = {
            K8sRolloutKind.BLUE_GREEN: (100,),
            K8sRolloutKind.CANARY: self.steps,
            K8sRolloutKind.SHADOW: (self.shadow_percent,),
        }
        return each.get(self.kind, ())

    def divide(self, *, has_route: bool) -> tuple[Traffic, ...]:
        """The shares with what divides the requests: an HTTPRoute where there is one, but for switching over at once."""
        if self.kind is K8sRolloutKind.SHADOW:
            by = Division.MIRROR
        else:
            by = Division.ROUTE if has_route and self.kind is K8sRolloutKind.CANARY else Division.PODS
        return tuple(Traffic(percent=percent, by=by) for percent in self.shares)


PROMOTION = K8sRollout(kind=K8sRolloutKind.BLUE_GREEN, wait_seconds=0)
"""How a candidate that was waited with takes over."""


def check_rollout(rollout: K8sRollout, *, has_route: bool) -> None:
    """Refuse what no cluster can do. Raises UsageError `setting-invalid`."""
    if rollout.kind is K8sRolloutKind.SHADOW and not has_route:
        raise UsageError(
            "setting-invalid",
            "a shadow needs an HTTPRoute, which copies the requests",
            hint="set `k8s.route` in dockyard.yaml, or choose `canary`",
        )
    if rollout.kind is K8sRolloutKind.ROLLING and rollout.pause:
        raise UsageError(
            "setting-invalid", "a rolling update has no share to pause at", hint="choose `blue-green`, `canary` or `shadow`"
        )
    uneven = [
        one.percent for one in rollout.divide(has_route=has_route) if one.by is Division.PODS and _is_too_much(one.percent)
    ]
    if uneven:
        raise UsageError(
            "setting-invalid",
            f"a share of {uneven[0]} % needs an HTTPRoute: by pods a candidate gets at most {MOST_BY_PODS} %, or all",
            hint="the old revision keeps all its pods; give `steps` up to 50 and 100, or set `k8s.route`",
        )


def count_candidates(traffic: Traffic, replicas: int) -> int:
    """How many pods a candidate needs for its share, beside so many stable ones."""
    if traffic.by is not Division.PODS:
        return max(-(-replicas * traffic.percent // 100), 1)
    if traffic.percent > MOST_BY_PODS:
        return replicas
    return max(round(replicas * traffic.percent / (100 - traffic.percent)), 1)


def _is_too_much(percent: int) -> bool:
    return MOST_BY_PODS < percent < 100


def describe_traffic(traffic: Traffic | None, candidates: int, stable: int) -> str:
    """Return in a few words what of the requests a candidate gets, by the pods that there are of both."""
    if traffic is None:
        return "no requests yet"
    if traffic.by is Division.MIRROR:
        return f"copies of {traffic.percent} % of the requests"
    if traffic.by is Division.ROUTE or traffic.percent > MOST_BY_PODS:
        return f"{traffic.percent} % of the requests"
    pods = candidates + stable
    return f"about {100 * candidates // pods} % of the requests ({candidates} of {pods} pods)"
