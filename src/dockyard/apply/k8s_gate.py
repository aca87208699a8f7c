"""Owns when a candidate does so badly that it is taken back: its counts beside the stable revision's. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.domain.k8s_rollout import Gate
from dockyard.domain.request_counts import RequestCounts

_SLOWEST = 0.99


def find_breach(gate: Gate, candidate: RequestCounts, stable: RequestCounts) -> str | None:
    """Return in which way the gate is breached; None where it is not, or too little is known."""
    if candidate.requests < gate.min_requests:
        return None
    return next(_list_breaches(gate, candidate, stable), None)


def _list_breaches(gate: Gate, candidate: RequestCounts, stable: RequestCounts) -> Iterator[str]:
    if gate.error_percent is not None and candidate.error_percent > stable.error_percent + gate.error_percent:
        yield (
            f"answered {candidate.error_percent:.1f} % of {candidate.requests:.0f} requests with an error, "
            f"the stable revision {stable.error_percent:.1f} %"
        )
    slowest = candidate.find_quantile(_SLOWEST)
    if gate.latency_ms is not None and slowest is not None and slowest * 1000 > gate.latency_ms:
        yield f"takes {slowest * 1000:.0f} ms for the slowest answer in a hundred, more than {gate.latency_ms} ms"
    is_known = gate.slower_percent is not None and stable.requests >= gate.min_requests
    if is_known and candidate.mean_seconds > stable.mean_seconds * (1 + (gate.slower_percent or 0.0) / 100):
        took = f"{candidate.mean_seconds * 1000:.1f} ms"
        yield f"takes {took} in the mean, the stable revision {stable.mean_seconds * 1000:.1f} ms"
