"""Owns the CandidateMetrics port: what scorers have counted, read through the API server, and what Prometheus says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from dockyard.adapters.k8s.api import KubeApi
from dockyard.adapters.k8s.manifests import PORT
from dockyard.domain.errors import DockyardError, UnavailableError
from dockyard.domain.request_counts import RequestCounts

_ROUTE = "/invocations"
_SECONDS = 10.0
_SAMPLE = re.compile(r"^(?P<name>dockyard_request\w*)\{(?P<labels>[^}]*)\} (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class KubeMetrics:
    """The scorers of one environment's pods."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    def read_counts(self, pod: str) -> RequestCounts:
        """What the scorer in a pod has counted. Raises UnavailableError `scorer-unreachable`."""
        path = f"/api/v1/namespaces/{self._api.namespace}/pods/{pod}:{PORT}/proxy/metrics"
        status, body = self._api.send("GET", path, timeout_seconds=_SECONDS)
        if status != 200:
            raise UnavailableError("scorer-unreachable", f"/metrics of pod {pod} answers with status {status}")
        return parse_counts(body.decode("utf-8", "replace"))

    def find_alert(self, url: str, expression: str) -> str | None:
        """The first result of an expression, where it has one. Raises DockyardError `prometheus-failed`."""
        from urllib3 import PoolManager
        from urllib3.exceptions import HTTPError

        address = f"{url.rstrip('/')}/api/v1/query?{urlencode({'query': expression})}"
        try:
            answer = PoolManager().request("GET", address, timeout=_SECONDS, retries=False)
            found = json.loads(answer.data)
        except (HTTPError, ValueError) as error:
            raise _failed(f"Prometheus at {url} does not answer ({type(error).__name__})") from error
        if not isinstance(found, dict) or found.get("status") != "success":
            raise _failed(f"Prometheus at {url} does not take `{expression}`: {_read_error(found)}")
        return next(_list_results(found["data"]), None)


def parse_counts(text: str) -> RequestCounts:
    """Read the counts of requests to /invocations in a scorer's exposition."""
    requests, errors, seconds, buckets = 0.0, 0.0, 0.0, list[tuple[float, float]]()
    for name, labels, value in _list_samples(text):
        if name == "dockyard_requests_total":
            requests += value
            errors += value if labels["status"].startswith("5") else 0.0
        elif name == "dockyard_request_seconds_sum":
            seconds = value
        elif name == "dockyard_request_seconds_bucket":
            buckets.append((float(labels["le"]), value))
    return RequestCounts(requests=requests, errors=errors, seconds=seconds, buckets=tuple(sorted(buckets)))


def _list_samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """The samples about /invocations; https://prometheus.io/docs/instrumenting/exposition_formats/. Their labels' values, which
    come from closed sets, need no unescaping."""
    for sample in _SAMPLE.finditer(text):
        labels = dict(_LABEL.findall(sample["labels"]))
        if labels.get("route") == _ROUTE:
            yield sample["name"], labels, float(sample["value"])


def _list_results(data: Mapping[str, object]) -> Iterator[str]:
    """What a query gives, each with its labels; a bare number is a result too."""
    results = data["result"]
    if data["resultType"] != "vector" or not isinstance(results, list):
        yield str(results)
        return
    for one in results:
        yield f"{one['value'][1]} {json.dumps(one['metric'], sort_keys=True)}"


def _read_error(found: object) -> str:
    return str(found.get("error", "no reason is given"))[:500] if isinstance(found, dict) else "its answer is no object"


def _failed(message: str) -> DockyardError:
    return DockyardError(
        "prometheus-failed", message, hint="`gate.prometheus` is its URL, `gate.alerts` are PromQL expressions"
    )
