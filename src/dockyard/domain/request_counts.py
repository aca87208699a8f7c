"""Owns what a scorer has counted of its requests since it was started, and what two such looks say of the time between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCounts:
    """Requests to /invocations: how many, how many with a 5xx status, and how long they took."""

    requests: float = 0.0
    errors: float = 0.0
    seconds: float = 0.0
    """All together."""
    buckets: tuple[tuple[float, float], ...] = ()
    """As Prometheus has them: how many took at most so many seconds, ascending, the last one without an end."""

    @property
    def error_percent(self) -> float:
        """How many of a hundred got a 5xx status."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    @property
    def mean_seconds(self) -> float:
        """How long one took."""
        return self.seconds / self.requests if self.requests else 0.0

    def since(self, earlier: RequestCounts) -> RequestCounts:
        """What came since; all of it where it was started again in between."""
        if self.requests < earlier.requests:
            return self
        before = dict(earlier.buckets)
        return RequestCounts(
            requests=self.requests - earlier.requests,
            errors=self.errors - earlier.errors,
            seconds=self.seconds - earlier.seconds,
            buckets=tuple((limit, count - before.get(limit, 0.0)) for limit, count in self.buckets),
        )

    def find_quantile(self, share: float) -> float | None:
        """How long at most that share of the requests took, in seconds; within a bucket they are taken to lie evenly.

        The longest limit where it is above all of them; None without requests.
        """
        rank, low, below = share * self.requests, 0.0, 0.0
        for limit, count in self.buckets if self.requests else ():
            if count >= rank:
                return low if limit == float("inf") else low + (limit - low) * (rank - below) / max(count - below, 1e-9)
            low, below = limit, count
        return None


def add_counts(counts: Iterable[RequestCounts]) -> RequestCounts:
    """Return them all together."""
    found = tuple(counts)
    limits = sorted({limit for one in found for limit, _ in one.buckets})
    return RequestCounts(
        requests=sum(one.requests for one in found),
        errors=sum(one.errors for one in found),
        seconds=sum(one.seconds for one in found),
        buckets=tuple((limit, sum(dict(one.buckets).get(limit, 0.0) for one in found)) for limit in limits),
    )
