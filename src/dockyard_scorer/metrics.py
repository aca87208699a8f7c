"""The Prometheus metrics of the service.

Owns names, labels and buckets. Label values come from closed sets, never from a request.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._requests = Counter("dockyard_requests", "Requests answered.", ("route", "status"), registry=registry)
        self._seconds = Histogram(
            "dockyard_request_seconds",
            "From the request's head to the end of its answer.",
            ("route",),
            registry=registry,
            buckets=_BUCKETS,
        )
        self._errors = Counter(
            "dockyard_prediction_errors", "Requests to /invocations without an answer.", ("code",), registry=registry
        )
        self.in_flight = Gauge("dockyard_requests_in_flight", "Requests to /invocations under way.", registry=registry)
        self.overdue = Gauge("dockyard_predictions_overdue", "Predictions still running after their time.", registry=registry)
        self.ready = Gauge("dockyard_ready", "1 when the model is loaded, proved and not draining.", registry=registry)
        self.load_seconds = Gauge("dockyard_model_load_seconds", "Time to load the model.", registry=registry)
        self.proof_seconds = Gauge("dockyard_model_proof_seconds", "Time to prove the model.", registry=registry)

    def set_model_info(self, labels: Mapping[str, str]) -> None:
        """Publish which model this is, as `dockyard_model_info{…} 1`."""
        info = Gauge("dockyard_model_info", "The model in this image.", tuple(labels), registry=self._registry)
        info.labels(**labels).set(1)

    def count_request(self, *, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(route=route, status=str(status)).inc()
        self._seconds.labels(route=route).observe(seconds)

    def count_error(self, code: str) -> None:
        """Count a request to /invocations that got an error."""
        self._errors.labels(code=code).inc()

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)
