"""CloudWatch's alarms on endpoints, evaluated on what was really invoked: moto stores alarms, and never looks at them.

Owns when they are evaluated, before anybody asks for their state, and what is known of them from one change to the next.
Must not touch alarms on other namespaces.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from dockyard_sandbox.alarm_rules import can_evaluate, evaluate, list_periods, read_rule
from dockyard_sandbox.aws import Aws, AwsError
from dockyard_sandbox.call_sites import read_call_site
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.metrics import NAMESPACE, LastMetrics
from dockyard_sandbox.routes import HttpRequest, HttpResponse, Service

_REASON = "Threshold Crossed: datapoints of the endpoint's invocations were compared with the threshold."


class EvaluatedAlarms:
    """The alarms of all regions in which something was asked. `speed` is AWS's seconds per second."""

    def __init__(self, aws: Aws, measured: LastMetrics, speed: Callable[[], float]) -> None:
        self._aws = aws
        self._measured = measured
        self._speed = speed
        self._lock = threading.Lock()
        self._alarms: dict[str, tuple[Fields, ...]] = {}
        """By region, as they are until somebody changes one."""

    def find_alarming(self, region: str, names: Sequence[str]) -> tuple[str, ...]:
        """Those of these alarms that are in state ALARM now."""
        if not names:
            return ()
        self.evaluate(region)
        with self._lock:
            alarming = {alarm.text("AlarmName") for alarm in self._list(region) if alarm.text("StateValue") == "ALARM"}
        return tuple(name for name in names if name in alarming)

    def evaluate(self, region: str) -> None:
        """Bring the states of the alarms on endpoints up to date."""
        with self._lock:
            now = time.time()
            alarms = [alarm for alarm in self._list(region) if alarm.text("Namespace") == NAMESPACE]
            has_changed = [self._update(region, alarm, now) for alarm in alarms]
            if any(has_changed):
                del self._alarms[region]

    def forget(self, region: str) -> None:
        """Somebody may have changed alarms."""
        with self._lock:
            self._alarms.pop(region, None)

    def _update(self, region: str, alarm: Fields, now: float) -> bool:
        """Whether its state has changed."""
        rule = read_rule(alarm)
        if not can_evaluate(rule):  # its state is as it was set
            return False
        data = self._measured.find(region, rule.metric, rule.dimensions)
        was_set = alarm.text("StateReason") != _REASON
        if was_set and rule.state == "ALARM" and not any(list_periods(rule, data, now, self._speed())):
            return False  # somebody has set it, to try out what follows: it stays until something is measured
        state = evaluate(rule, data, now, self._speed())
        if state != rule.state:
            told = {"AlarmName": rule.name, "StateValue": state, "StateReason": _REASON}
            with suppress(AwsError):  # somebody has deleted it meanwhile
                self._aws.call("cloudwatch", region, "set_alarm_state", **told)
        return state != rule.state

    def _list(self, region: str) -> tuple[Fields, ...]:
        if region not in self._alarms:
            with suppress(AwsError):  # without moto there are none, for now
                self._alarms[region] = tuple(self._ask(region))
        return self._alarms.get(region, ())

    def _ask(self, region: str) -> Iterator[Fields]:
        more: dict[str, object] = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        while True:
            page = self._aws.call("cloudwatch", region, "describe_alarms", **more)
            yield from (*page.items_of("MetricAlarms"), *page.items_of("CompositeAlarms"))
            if not page.text("NextToken"):
                return
            more["NextToken"] = page.text("NextToken")


class AlarmChanges:
    """A service, called `name` in signatures, by whose calls alarms change: what is known of them is forgotten."""

    def __init__(self, service: Service, name: str, alarms: EvaluatedAlarms) -> None:
        self._service = service
        self._name = name
        self._alarms = alarms

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Pass a request on."""
        try:
            return self._service.answer(request)
        finally:
            if read_call_site(request, self._name).mutating:
                self._alarms.forget(request.region)
