"""Which shares a candidate gets, by what, with how many pods, and what is refused before anything is contacted."""

from __future__ import annotations

import pytest

from dockyard.domain.errors import UsageError
from dockyard.domain.k8s_rollout import Division, K8sRollout, K8sRolloutKind, Traffic, check_rollout, count_candidates

KINDS = K8sRolloutKind


def make_traffic(percent: int, by: str = "pods") -> Traffic:
    return Traffic(percent=percent, by=Division(by))


def test_shares_are_divided_by_a_route_where_there_is_one_but_switched_by_the_service() -> None:
    canary = K8sRollout(kind=KINDS.CANARY, steps=(10, 100))
    assert canary.divide(has_route=False) == (make_traffic(10), make_traffic(100))
    assert canary.divide(has_route=True) == (make_traffic(10, "route"), make_traffic(100, "route"))
    assert K8sRollout(kind=KINDS.BLUE_GREEN).divide(has_route=True) == (make_traffic(100),)
    assert K8sRollout(kind=KINDS.SHADOW, shadow_percent=30).divide(has_route=True) == (make_traffic(30, "mirror"),)
    assert K8sRollout().divide(has_route=True) == ()


@pytest.mark.parametrize(
    ("percent", "by", "replicas", "pods"),
    [
        (10, "pods", 2, 1),
        (10, "pods", 9, 1),
        (50, "pods", 3, 3),
        (100, "pods", 3, 3),
        (10, "route", 30, 3),
        (1, "mirror", 2, 1),
    ],
)
def test_candidate_has_the_pods_that_its_share_needs(percent: int, by: str, replicas: int, pods: int) -> None:
    assert count_candidates(make_traffic(percent, by), replicas) == pods


@pytest.mark.parametrize(
    ("rollout", "words"),
    [
        (K8sRollout(kind=KINDS.SHADOW), "a shadow needs an HTTPRoute"),
        (K8sRollout(pause=True), "no share to pause at"),
        (K8sRollout(kind=KINDS.CANARY, steps=(10, 75)), "a share of 75 % needs an HTTPRoute"),
    ],
)
def test_what_no_cluster_can_do_is_refused(rollout: K8sRollout, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        check_rollout(rollout, has_route=False)
    assert refused.value.code == "setting-invalid"


def test_route_can_do_it_all() -> None:
    for kind in (KINDS.SHADOW, KINDS.CANARY):
        check_rollout(K8sRollout(kind=kind, steps=(10, 75)), has_route=True)
