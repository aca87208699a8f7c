"""Owns the Grafana dashboard of a deployment: a few graphs of the scorer's own metrics. Pure."""

from __future__ import annotations

import hashlib
import json

_RATE = "[$__rate_interval]"
_WIDTH, _HEIGHT = 12, 8


def draw_dashboard(title: str, series: str) -> str:
    """Return a dashboard as Grafana reads it; `series` are the labels that choose the deployment's series."""
    asked = f'{series},route="/invocations"'
    buckets = f"sum by (le) (rate(dockyard_request_seconds_bucket{{{asked}}}{_RATE}))"
    errors = f"dockyard_prediction_errors_total{{{series}}}"
    graphs = (
        ("Requests per second", "reqps", f"sum by (status) (rate(dockyard_requests_total{{{asked}}}{_RATE}))", "{{status}}"),
        (
            "Errors per second",
            "reqps",
            f"sum by (code) (rate({errors}{_RATE}))",
            "{{code}}",
        ),
        ("Latency, 50 %", "s", f"histogram_quantile(0.5, {buckets})", "p50"),
        ("Latency, 99 %", "s", f"histogram_quantile(0.99, {buckets})", "p99"),
        ("Requests under way", "short", f"sum by (pod) (dockyard_requests_in_flight{{{series}}})", "{{pod}}"),
        ("Pods that are ready", "short", f"sum(dockyard_ready{{{series}}})", "ready"),
        ("Memory", "bytes", f"process_resident_memory_bytes{{{series}}}", "{{pod}}"),
        ("Processor", "short", f"rate(process_cpu_seconds_total{{{series}}}{_RATE})", "{{pod}}"),
    )
    document = {
        "uid": hashlib.sha256(title.encode()).hexdigest()[:20],
        "title": f"Dockyard: {title}",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": [_draw_panel(number, *graph) for number, graph in enumerate(graphs)],
    }
    return json.dumps(document, sort_keys=True, indent=1)


def _draw_panel(number: int, title: str, unit: str, expression: str, legend: str) -> dict[str, object]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": number % 2 * _WIDTH, "y": number // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": legend}],
    }
