"""When an alarm goes off: statistics over periods, and how many of them breach.

Owns CloudWatch's rules, with periods that pass as fast as the sandbox's time. Pure: must not call anything.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.metrics import Datum, Dimensions

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
_MIN_PERIOD = 0.5
"""Of our seconds: in less nothing is measured."""
_STATISTICS = frozenset({"Sum", "Average", "Minimum", "Maximum", "SampleCount"})
_PERCENTILE = re.compile(r"p\d{1,2}(\.\d+)?|p100")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
        "GreaterThanThreshold": lambda value, limit: value > limit,
        "LessThanThreshold": lambda value, limit: value < limit,
        "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRule:
    """What an alarm watches. `period` is in AWS's seconds."""

    name: str
    metric: str
    dimensions: Dimensions
    statistic: str
    period: float
    periods: int
    needed: int
    threshold: float
    comparison: str
    missing: str
    state: str


def read_rule(alarm: Fields) -> AlarmRule:
    """The rule in an answer of DescribeAlarms."""
    periods = alarm.whole("EvaluationPeriods", 1)
    return AlarmRule(
        name=alarm.text("AlarmName"),
        metric=alarm.text("MetricName"),
        dimensions=frozenset((one.text("Name"), one.text("Value")) for one in alarm.items_of("Dimensions")),
        statistic=alarm.text("Statistic") or alarm.text("ExtendedStatistic"),
        period=alarm.number("Period", 60),
        periods=periods,
        needed=alarm.whole("DatapointsToAlarm", periods) or periods,
        threshold=alarm.number("Threshold"),
        comparison=alarm.text("ComparisonOperator"),
        missing=alarm.text("TreatMissingData") or "missing",
        state=alarm.text("StateValue"),
    )


def can_evaluate(rule: AlarmRule) -> bool:
    """Whether this module knows the alarm's kind: one metric, a plain statistic or a percentile, a threshold."""
    known = rule.statistic in _STATISTICS or _PERCENTILE.fullmatch(rule.statistic)
    return bool(rule.metric and known and rule.comparison in _COMPARE)


def evaluate(rule: AlarmRule, data: Sequence[Datum], now: float, speed: float) -> State:
    """The state that an alarm has now. `data` are those of its metric; `speed` is AWS's seconds per second."""
    verdicts: list[bool] = []
    for values in list_periods(rule, data, now, speed):
        if values:
            verdicts.append(_COMPARE[rule.comparison](find_statistic(rule.statistic, values), rule.threshold))
        elif rule.missing in {"breaching", "notBreaching"}:
            verdicts.append(rule.missing == "breaching")
    if not verdicts:
        return _keep(rule.state) if rule.missing == "ignore" else "INSUFFICIENT_DATA"
    return "ALARM" if sum(verdicts) >= rule.needed else "OK"


def list_periods(rule: AlarmRule, data: Sequence[Datum], now: float, speed: float) -> list[list[float]]:
    """The values of each period that counts, the latest first."""
    period = max(rule.period / speed if speed else rule.period, _MIN_PERIOD)
    start = now - rule.periods * period
    values = [(datum.time, datum.value) for datum in data if datum.time > start]
    ends = [now - number * period for number in range(rule.periods)]
    return [[value for at, value in values if end - period < at <= end] for end in ends]


def find_statistic(name: str, values: Sequence[float]) -> float:
    """A statistic of some values: `Sum`, `Average`, `p99` and their like."""
    match name:
        case "Sum":
            return math.fsum(values)
        case "Average":
            return math.fsum(values) / len(values)
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case "SampleCount":
            return float(len(values))
        case _:
            return _find_percentile(float(name.removeprefix("p")), values)


def _find_percentile(percent: float, values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[max(math.ceil(percent / 100 * len(ordered)) - 1, 0)]


def _keep(state: str) -> State:
    return "ALARM" if state == "ALARM" else "OK" if state == "OK" else "INSUFFICIENT_DATA"
