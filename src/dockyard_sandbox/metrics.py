"""Invocations as metrics of the namespace AWS/SageMaker: what each is worth, and its way into CloudWatch.

Owns names, units and dimensions. https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone

from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.invocation_log import Invocation

NAMESPACE = "AWS/SageMaker"
Dimensions = frozenset[tuple[str, str]]
_BATCH = 500
_KEPT = 20_000
_KEPT_OF_EACH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """One value of one metric."""

    region: str
    name: str
    dimensions: Dimensions
    time: float
    value: float
    unit: str


def measure(invocation: Invocation) -> Iterator[Datum]:
    """Everything that SageMaker says of an invocation. Latencies are in microseconds."""
    status = invocation.model_status
    values = {
        "Invocations": (1.0, "None"),
        "InvocationsPerInstance": (1.0, "None"),
        "Invocation4XXErrors": (float(400 <= status < 500), "None"),
        "Invocation5XXErrors": (float(status == 0 or status >= 500), "None"),
        "InvocationModelErrors": (float(not 200 <= status < 300), "None"),
        "ModelLatency": (invocation.model_seconds * 1e6, "Microseconds"),
        "OverheadLatency": (invocation.overhead_seconds * 1e6, "Microseconds"),
    }
    dimensions = [frozenset({("EndpointName", invocation.endpoint), ("VariantName", invocation.variant)})]
    if invocation.component:
        dimensions.append(frozenset({("InferenceComponentName", invocation.component)}))
    for chosen in dimensions:
        for name, (value, unit) in values.items():
            yield Datum(region=invocation.region, name=name, dimensions=chosen, time=invocation.time, value=value, unit=unit)


class LastMetrics:
    """The last values of each metric, for whoever looks at them at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._data: dict[tuple[str, str, Dimensions], deque[Datum]] = defaultdict(lambda: deque(maxlen=_KEPT_OF_EACH))

    def observe(self, invocation: Invocation) -> None:
        """An invocation has ended."""
        with self._lock:
            for datum in measure(invocation):
                self._data[datum.region, datum.name, datum.dimensions].append(datum)

    def find(self, region: str, name: str, dimensions: Dimensions) -> tuple[Datum, ...]:
        """The values of one metric, oldest first; empty where nothing was measured."""
        with self._lock:
            return tuple(self._data.get((region, name, dimensions), ()))


class MetricsWriter:
    """Brings metrics into CloudWatch when somebody asks for them."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._waiting: list[Datum] = []

    def observe(self, invocation: Invocation) -> None:
        """An invocation has ended."""
        with self._lock:
            self._waiting += measure(invocation)
            del self._waiting[:-_KEPT]

    def flush(self) -> None:
        """Bring everything to CloudWatch."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for region in {datum.region for datum in waiting}:
            data = [_encode(datum) for datum in waiting if datum.region == region]
            for start in range(0, len(data), _BATCH):
                with suppress(AwsError):  # without moto there is nobody who could ask
                    self._aws.call(
                        "cloudwatch", region, "put_metric_data", Namespace=NAMESPACE, MetricData=data[start : start + _BATCH]
                    )


def _encode(datum: Datum) -> dict[str, object]:
    return {
        "MetricName": datum.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(datum.dimensions)],
        "Timestamp": datetime.fromtimestamp(datum.time, timezone.utc),
        "Value": datum.value,
        "Unit": datum.unit,
    }
