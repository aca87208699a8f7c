"""When a candidate is taken back, and what two looks at a scorer's counts say."""

from __future__ import annotations

import pytest

from dockyard.apply.k8s_gate import find_breach
from dockyard.domain.k8s_rollout import Gate
from dockyard.domain.request_counts import RequestCounts, add_counts

INF = float("inf")
QUICK = RequestCounts(requests=100, seconds=1.0, buckets=((0.01, 100), (0.1, 100), (INF, 100)))
SLOW = RequestCounts(requests=100, seconds=8.0, buckets=((0.01, 0), (0.1, 100), (INF, 100)))
WRONG = RequestCounts(requests=100, errors=3, seconds=1.0)


@pytest.mark.parametrize(
    ("gate", "candidate", "stable", "words"),
    [
        (Gate(), WRONG, QUICK, "answered 3.0 % of 100 requests with an error, the stable revision 0.0 %"),
        (Gate(), WRONG, WRONG, None),
        (Gate(error_percent=None), WRONG, QUICK, None),
        (Gate(min_requests=101), WRONG, QUICK, None),
        (Gate(), SLOW, QUICK, None),
        (Gate(latency_ms=50), SLOW, QUICK, "takes 99 ms for the slowest answer in a hundred, more than 50 ms"),
        (Gate(latency_ms=50), QUICK, SLOW, None),
        (Gate(slower_percent=100), SLOW, QUICK, "takes 80.0 ms in the mean, the stable revision 10.0 ms"),
        (Gate(slower_percent=900), SLOW, QUICK, None),
        (Gate(slower_percent=100), SLOW, RequestCounts(requests=1, seconds=0.01), None),
    ],
)
def test_breach_is_told_with_its_figures(
    gate: Gate, candidate: RequestCounts, stable: RequestCounts, words: str | None
) -> None:
    assert find_breach(gate, candidate, stable) == words


def test_what_came_since_is_a_difference_and_all_of_it_after_a_restart() -> None:
    later = add_counts([QUICK, SLOW])
    assert later == RequestCounts(requests=200, seconds=9.0, buckets=((0.01, 100), (0.1, 200), (INF, 200)))
    assert later.since(QUICK) == SLOW
    assert QUICK.since(later) == QUICK


def test_quantile_lies_within_its_bucket() -> None:
    assert QUICK.find_quantile(0.5) == pytest.approx(0.005)
    assert SLOW.find_quantile(0.5) == pytest.approx(0.055)
    assert RequestCounts(requests=10, buckets=((0.1, 5), (INF, 10))).find_quantile(0.99) == pytest.approx(0.1)
    assert RequestCounts().find_quantile(0.5) is None
    assert RequestCounts(requests=1).find_quantile(0.5) is None
    assert (RequestCounts().error_percent, RequestCounts().mean_seconds) == (0.0, 0.0)
