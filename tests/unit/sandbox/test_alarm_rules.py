"""Alarms go off on statistics over periods, as CloudWatch evaluates them, with periods that pass as fast as the sandbox."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard_sandbox.alarm_rules import AlarmRule, can_evaluate, evaluate, find_statistic, read_rule
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.invocation_log import Invocation
from dockyard_sandbox.metrics import Datum, LastMetrics, measure

NOW = 1000.0
DIMENSIONS = frozenset({("EndpointName", "wine"), ("VariantName", "AllTraffic")})
RULE = AlarmRule(
    name="5xx",
    metric="Invocation5XXErrors",
    dimensions=DIMENSIONS,
    statistic="Sum",
    period=60,
    periods=1,
    needed=1,
    threshold=2,
    comparison="GreaterThanOrEqualToThreshold",
    missing="missing",
    state="OK",
)

INVOCATION = Invocation(
    time=NOW,
    region="us-east-1",
    endpoint="wine",
    variant="AllTraffic",
    config_name="c",
    status=200,
    model_status=200,
    model_seconds=0.25,
    overhead_seconds=0.001,
)


def data(*points: tuple[float, float]) -> list[Datum]:
    """Values at so many seconds before now."""
    name, region = RULE.metric, "us-east-1"
    return [
        Datum(region=region, name=name, dimensions=DIMENSIONS, time=NOW - age, value=value, unit="None")
        for age, value in points
    ]


def test_sum_over_the_period_decides() -> None:
    assert evaluate(RULE, data((1, 1), (50, 1)), NOW, 1) == "ALARM"
    assert evaluate(RULE, data((1, 1), (61, 1)), NOW, 1) == "OK"


def test_periods_shrink_with_the_pace_but_not_below_half_a_second() -> None:
    assert evaluate(RULE, data((0.5, 1), (5, 1)), NOW, 60) == "OK"
    assert evaluate(RULE, data((0.5, 1), (0.9, 1)), NOW, 60) == "ALARM"
    assert evaluate(RULE, data((0.3, 2)), NOW, 10_000) == "ALARM"


@pytest.mark.parametrize(
    ("missing", "state", "expected"),
    [
        ("missing", "OK", "INSUFFICIENT_DATA"),
        ("ignore", "ALARM", "ALARM"),
        ("ignore", "OK", "OK"),
        ("notBreaching", "ALARM", "OK"),
        ("breaching", "OK", "ALARM"),
    ],
)
def test_missing_data_count_as_the_alarm_says(missing: str, state: str, expected: str) -> None:
    assert evaluate(replace(RULE, missing=missing, state=state), [], NOW, 1) == expected


def test_so_many_of_the_last_periods_must_breach() -> None:
    rule = replace(RULE, periods=3, needed=2, threshold=1, missing="notBreaching")
    assert evaluate(rule, data((1, 1), (130, 1)), NOW, 1) == "ALARM"
    assert evaluate(rule, data((1, 1), (190, 1)), NOW, 1) == "OK"


def test_values_are_found_by_region_metric_and_dimensions() -> None:
    measured = LastMetrics()
    for invocation in (INVOCATION, replace(INVOCATION, region="eu-west-1"), replace(INVOCATION, endpoint="beer")):
        measured.observe(invocation)
    found = measured.find("us-east-1", "ModelLatency", DIMENSIONS)
    assert [(datum.time, datum.value, datum.dimensions) for datum in found] == [(NOW, 250_000, DIMENSIONS)]
    assert measured.find("us-east-1", "ModelLatency", frozenset({("EndpointName", "wine")})) == ()
    assert measured.find("us-east-1", "Other", DIMENSIONS) == ()


@pytest.mark.parametrize(
    ("comparison", "value", "expected"),
    [
        ("GreaterThanThreshold", 2, "OK"),
        ("GreaterThanThreshold", 3, "ALARM"),
        ("LessThanThreshold", 1, "ALARM"),
        ("LessThanThreshold", 2, "OK"),
        ("LessThanOrEqualToThreshold", 2, "ALARM"),
    ],
)
def test_comparisons_mean_what_they_say(comparison: str, value: float, expected: str) -> None:
    assert evaluate(replace(RULE, comparison=comparison), data((1, value)), NOW, 1) == expected


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Sum", 55), ("Average", 5.5), ("Minimum", 1), ("Maximum", 10), ("SampleCount", 10), ("p50", 5), ("p90", 9), ("p99", 10)],
)
def test_statistics(statistic: str, expected: float) -> None:
    assert find_statistic(statistic, [float(value) for value in range(1, 11)]) == expected


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        (RULE, True),
        (replace(RULE, statistic="p99.9"), True),
        (replace(RULE, statistic="tm90"), False),
        (replace(RULE, metric=""), False),
        (replace(RULE, comparison="GreaterThanUpperThreshold"), False),
    ],
)
def test_alarms_of_kinds_that_are_not_known_are_left_alone(rule: AlarmRule, known: bool) -> None:
    assert can_evaluate(rule) is known


def test_rule_is_read_from_what_describe_alarms_tells() -> None:
    told = {
        "AlarmName": "5xx",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": name, "Value": value} for name, value in DIMENSIONS],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "StateValue": "OK",
    }
    assert read_rule(Fields(told)) == RULE
    assert read_rule(Fields({**told, "EvaluationPeriods": 3})).needed == 3
    percentile = {name: value for name, value in told.items() if name != "Statistic"}
    assert read_rule(Fields({**percentile, "ExtendedStatistic": "p99"})).statistic == "p99"


@pytest.mark.parametrize(
    ("status", "client_errors", "server_errors", "model_errors"),
    [(200, 0, 0, 0), (400, 1, 0, 1), (500, 0, 1, 1), (0, 0, 1, 1)],
)
def test_invocation_is_measured_by_what_the_model_answered(
    status: int, client_errors: int, server_errors: int, model_errors: int
) -> None:
    invocation = replace(INVOCATION, status=424 if status != 200 else 200, model_status=status, component="copy")
    measured = {(datum.name, len(datum.dimensions)): datum.value for datum in measure(invocation)}
    assert measured["Invocations", 2] == 1
    assert (measured["Invocation4XXErrors", 2], measured["Invocation5XXErrors", 2]) == (client_errors, server_errors)
    assert measured["InvocationModelErrors", 2] == model_errors
    assert measured["ModelLatency", 1] == 250_000
