"""The status page: one HTML file that asks the admin API every second, and the traffic that it draws.

Owns both. Must not change anything: the page only looks.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from dockyard_sandbox.invocation_log import Invocation, InvocationLog
from dockyard_sandbox.routes import HttpRequest, HttpResponse, answer_json

SECONDS = 60
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
_HEADERS = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}


class Page:
    """The service `page`."""

    def __init__(self, log: InvocationLog) -> None:
        self._log = log
        self._html = Path(__file__).with_name("page.html").read_bytes()

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The page, or with `?traffic` what it draws."""
        if "traffic" in request.parameters:
            return answer_json({"endpoints": self.describe_traffic(time.time())})
        return HttpResponse(headers=_HEADERS, body=self._html)

    def describe_traffic(self, now: float) -> dict[str, dict[str, object]]:
        """By `region/endpoint` and variant: totals, the last minute's requests by second, and how slow they were."""
        last: dict[tuple[str, str, str], list[Invocation]] = defaultdict(list)
        for invocation in self._log.list_since(SECONDS):
            last[invocation.region, invocation.endpoint, invocation.variant].append(invocation)
        described: dict[str, dict[str, object]] = defaultdict(dict)
        for region, endpoint, variant in self._log.list_variants():
            ok, failed = (self._log.count(region, endpoint, variant, kind) for kind in ("ok", "failed"))
            recent = last[region, endpoint, variant]
            p95 = find_p95_ms(recent)
            told = {"ok": ok, "failed": failed, "seconds": count_by_second(recent, now), "p95": p95}
            described[f"{region}/{endpoint}"][variant] = told
        return dict(described)


def count_by_second(invocations: Sequence[Invocation], now: float) -> list[list[int]]:
    """How many went well and how many failed in each of the last seconds, oldest first."""
    counts = [[0, 0] for _ in range(SECONDS)]
    for invocation in invocations:
        age = math.floor(now - invocation.time)
        if 0 <= age < SECONDS:
            counts[SECONDS - 1 - age][invocation.status >= 400] += 1
    return counts


def find_p95_ms(invocations: Sequence[Invocation]) -> float | None:
    """The time within which 95 of 100 containers' answers came; None where there were none."""
    ordered = sorted(invocation.model_seconds for invocation in invocations)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] * 1000 if ordered else None
