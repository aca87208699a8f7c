"""Owns what a candidate goes through before the deployment itself is rolled to its revision.

Level-based: the share that a candidate has is read from the objects that divide the requests, so a rollout that was killed,
or that stands still, goes on at that share. A candidate of something else is taken away first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.domain.k8s import K8sPolicy, K8sSpec, ObservedK8s
from dockyard.domain.k8s_rollout import Division, K8sRollout, K8sRolloutKind, Traffic, count_candidates
from dockyard.domain.k8s_steps import (
    DropCandidate,
    RetireCandidate,
    SplitTraffic,
    StartCandidate,
    WaitRollout,
    WatchCandidate,
)
from dockyard.domain.plan import SmokeTest, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A revision that is to be tried beside the one that serves."""

    seen: ObservedK8s
    number: int
    spec: K8sSpec
    policy: K8sPolicy
    rollout: K8sRollout
    stable: int
    smoke_requests: int

    @property
    def shares(self) -> tuple[Traffic, ...]:
        """What it is still to get: nothing that is less than it has, and where it is to pause, one share or none."""
        rollout, reached = self.rollout, self.reached
        planned = rollout.divide(has_route=self.policy.has_route)
        if rollout.kind is K8sRolloutKind.BLUE_GREEN and reached is not None and reached.by is Division.ROUTE:
            planned = tuple(
                Traffic(percent=one.percent, by=Division.ROUTE) for one in planned
            )  # one way is not changed for another
        left = tuple(one for one in planned if reached is None or one.by is not reached.by or one.percent >= reached.percent)
        if not rollout.pause:
            return left
        return () if rollout.kind is K8sRolloutKind.BLUE_GREEN else left[:1]

    @property
    def stable_pods(self) -> int:
        """How many pods it stands beside."""
        return max(self.seen.stable_pods if self.policy.scaling else self.policy.replicas, 1)

    @property
    def reached(self) -> Traffic | None:
        """What it has."""
        return self.seen.traffic if self._is_there else None

    @property
    def stands_still(self) -> bool:
        """Whether it is where it is to wait until somebody says go on."""
        has_come = not self.shares or self.reached == self.shares[0]
        return self.rollout.pause and self._is_there and self.seen.has_settled(self.number) and has_come

    @property
    def _is_there(self) -> bool:
        return self.seen.candidate is not None and self.seen.candidate.revision.number == self.number


def keep_traffic(seen: ObservedK8s, number: int) -> Traffic | None:
    """What the candidate of a revision keeps while the deployment itself is rolled to it."""
    there = seen.candidate
    is_fit = there is not None and there.revision.number == number and there.is_settled
    return seen.traffic if is_fit and seen.traffic is not None and seen.traffic.by is not Division.MIRROR else None


def begin_trial(trial: Trial) -> Iterator[Step]:
    """Have the candidate run, and ask it before it gets a single request."""
    shares = trial.shares
    there = trial.seen.candidate
    if there is not None and there.revision.number != trial.number:
        yield DropCandidate(number=there.revision.number, policy=trial.policy)
    seconds = trial.spec.settings.size(None).ready_timeout_seconds
    yield StartCandidate(
        number=trial.number,
        spec=trial.spec,
        policy=trial.policy,
        previous_policy=trial.seen.policy or trial.policy,
        pods=count_candidates(shares[0], trial.stable_pods) if shares else trial.stable_pods,
    )
    yield WaitRollout(number=trial.number, timeout_seconds=seconds, is_candidate=True)
    yield SmokeTest(number=trial.number, fingerprint=trial.spec.fingerprint, requests=trial.smoke_requests)


def divide_traffic(trial: Trial) -> Iterator[Step]:
    """Give it share after share, and watch it with each."""
    for share in trial.shares:
        yield SplitTraffic(
            number=trial.number,
            spec=trial.spec,
            policy=trial.policy,
            traffic=share,
            pods=count_candidates(share, trial.stable_pods),
            stable_pods=trial.stable_pods,
            timeout_seconds=trial.spec.settings.size(None).ready_timeout_seconds,
        )
        if trial.rollout.wait_seconds and not trial.rollout.pause:
            yield WatchCandidate(
                number=trial.number, stable=trial.stable, seconds=trial.rollout.wait_seconds, gate=trial.rollout.gate
            )


def retire_candidate(seen: ObservedK8s, policy: K8sPolicy, trial: Trial | None) -> Iterator[RetireCandidate]:
    """The step that takes away what stands beside, where something does or was just started."""
    there = seen.candidate.revision.number if seen.candidate else None
    number = trial.number if trial else there
    if number is not None:
        yield RetireCandidate(number=number, policy=policy)
