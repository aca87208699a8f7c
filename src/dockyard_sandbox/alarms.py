"""CloudWatch's alarms on endpoints, evaluated on what was really invoked: moto stores alarms, and never looks at them.

Owns when they are evaluated: before anybody asks for their state. Must not touch alarms on other namespaces.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from dockyard_sandbox.alarm_rules import can_evaluate, evaluate, list_periods, read_rule
from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.metrics import NAMESPACE, LastMetrics

_REST_SECONDS = 0.1
_REASON = "Threshold Crossed: datapoints of the endpoint's invocations were compared with the threshold."


class EvaluatedAlarms:
    """The alarms of all regions in which something was asked. `speed` is AWS's seconds per second."""

    def __init__(self, aws: Aws, measured: LastMetrics, speed: Callable[[], float]) -> None:
        self._aws = aws
        self._measured = measured
        self._speed = speed
        self._lock = threading.Lock()
        self._evaluated: dict[str, float] = {}

    def find_alarming(self, region: str, names: Sequence[str]) -> tuple[str, ...]:
        """Those of these alarms that are in state ALARM now."""
        if not names:
            return ()
        self.evaluate(region, rest_seconds=_REST_SECONDS)
        alarms = self._list(region, AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return tuple(alarm.text("AlarmName") for alarm in alarms if alarm.text("StateValue") == "ALARM")

    def evaluate(self, region: str, *, rest_seconds: float = 0.0) -> None:
        """Bring the states of the alarms on endpoints up to date; does nothing if that was less than a rest ago."""
        with self._lock:
            now = time.time()
            if now - self._evaluated.get(region, 0.0) < rest_seconds:
                return
            alarms = [alarm for alarm in self._list(region) if alarm.text("Namespace") == NAMESPACE]
            for alarm in alarms:
                self._update(region, alarm, now)
            self._evaluated[region] = time.time()

    def _update(self, region: str, alarm: Fields, now: float) -> None:
        rule = read_rule(alarm)
        if not can_evaluate(rule):  # its state is as it was set
            return
        data = self._measured.find(region, rule.metric, rule.dimensions)
        was_set = alarm.text("StateReason") != _REASON
        if was_set and rule.state == "ALARM" and not any(list_periods(rule, data, now, self._speed())):
            return  # somebody has set it, to try out what follows: it stays until something is measured
        state = evaluate(rule, data, now, self._speed())
        if state != rule.state:
            told = {"AlarmName": rule.name, "StateValue": state, "StateReason": _REASON}
            with suppress(AwsError):  # somebody has deleted it meanwhile
                self._aws.call("cloudwatch", region, "set_alarm_state", **told)

    def _list(self, region: str, **parameters: object) -> Iterator[Fields]:
        more: dict[str, object] = {}
        while True:
            try:
                page = self._aws.call("cloudwatch", region, "describe_alarms", **parameters, **more)
            except AwsError:
                return
            yield from (*page.items_of("MetricAlarms"), *page.items_of("CompositeAlarms"))
            if not page.text("NextToken"):
                return
            more = {"NextToken": page.text("NextToken")}
