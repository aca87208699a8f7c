"""Owns what is made for a Prometheus operator and for Grafana: scraping, alerts with their thresholds, a dashboard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """When somebody is told."""

    error_percent: float = 5.0
    """Of requests to /invocations that are answered with 5xx, over five minutes."""
    latency_seconds: float = 1.0
    """That 99 % of requests stay under, over five minutes."""
    restarts: int = 3
    """Of one pod's process, in a quarter of an hour."""
    runbooks: str = "docs/how-to/answer-alerts.md"
    """Where the page is that says what to do, without anchor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """Who looks after a deployment, and how."""

    namespace: str | None = None
    """Where Prometheus runs, which a NetworkPolicy then lets in."""
    labels: tuple[tuple[str, str], ...] = ()
    """That Prometheus chooses its objects by, sorted by name."""
    interval_seconds: int = 15
    """Between two scrapes."""
    alerts: Alerts | None = None
    dashboard_labels: tuple[tuple[str, str], ...] = ()
    """That Grafana's sidecar chooses ConfigMaps by, sorted by name. None: no dashboard."""

    def list_kinds(self) -> tuple[str, ...]:
        """The kinds of objects that are made."""
        alerts, dashboard = ["PrometheusRule"] if self.alerts else [], ["ConfigMap"] if self.dashboard_labels else []
        return ("ServiceMonitor", *alerts, *dashboard)
