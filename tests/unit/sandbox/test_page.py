"""The status page needs nothing from outside, and draws what was really invoked."""

from __future__ import annotations

import json
import re

from dockyard_sandbox.invocation_log import Invocation, InvocationLog
from dockyard_sandbox.page import SECONDS, Page, count_by_second, find_p95_ms
from dockyard_sandbox.routes import HttpRequest

NOW = 1_000_000.0


def invocation(age: float, status: int = 200, seconds: float = 0.01, variant: str = "AllTraffic") -> Invocation:
    return Invocation(
        time=NOW - age,
        region="us-east-1",
        endpoint="wine",
        variant=variant,
        config_name="c1",
        status=status,
        model_status=status,
        model_seconds=seconds,
        overhead_seconds=0.0,
    )


def test_page_is_one_file_that_loads_nothing_from_elsewhere() -> None:
    answer = Page(InvocationLog()).answer(HttpRequest(method="GET", path="/"))
    text = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert set(re.findall(r"https?://[^\s\"'`]+", text)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.search(r"<(link|script|img)[^>]+(src|href)=\"(?!data:)", text)


def test_names_never_become_markup() -> None:
    text = Page(InvocationLog()).answer(HttpRequest(method="GET", path="/")).body.decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_last_minute_is_counted_by_second() -> None:
    counts = count_by_second([invocation(0.5), invocation(0.9, 424), invocation(1.5), invocation(59.5), invocation(60.5)], NOW)
    assert (counts[-1], counts[-2], counts[0], len(counts)) == ([1, 1], [1, 0], [1, 0], SECONDS)
    assert sum(ok + failed for ok, failed in counts) == 4


def test_slowness_is_told_in_milliseconds() -> None:
    assert find_p95_ms([invocation(1, seconds=number / 1000) for number in range(1, 101)]) == 95
    assert find_p95_ms([invocation(1, seconds=0.2)]) == 200
    assert find_p95_ms([]) is None


def test_traffic_is_told_by_endpoint_and_variant_even_when_it_has_ceased() -> None:
    log = InvocationLog()
    for one in (invocation(0), invocation(0, 424), invocation(0, variant="challenger")):
        log.observe(one)
    answer = Page(log).answer(HttpRequest(method="GET", path="/_sandbox/page", query="traffic"))
    told = json.loads(answer.body)["endpoints"]["us-east-1/wine"]
    assert {variant: (one["ok"], one["failed"], one["p95"]) for variant, one in told.items()} == {
        "AllTraffic": (1, 1, None),
        "challenger": (1, 0, None),
    }
