"""What goes wrong on a script: which call, how often, and how.

Owns the rules and counting calls against them. Must not carry a fault out: `front` does for calls, `rollout` for endpoints.
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from dockyard_sandbox.calls import CallSite
from dockyard_sandbox.fields import Fields

CallFault = Literal[
    "throttle",
    "error-before",
    "error-after",
    "reset-before",
    "reset-after",
    "slow",
    "slow-after",
    "expired-token",
    "access-denied",
    "quota",
    "changed-by-someone",
]
"""What happens to a call. `-before` and `-after` are before and after its effect. `slow` waits `seconds`, then lets it through;
`slow-after` waits between the effect and the answer. `changed-by-someone` changes the endpoint that the call names, then lets
the call through."""
EndpointFault = Literal["capacity", "ping-failure", "rollback-empty-reason", "update-rollback-failed", "stuck-creating"]
"""What happens to an endpoint after the call that creates or updates it was accepted."""
KINDS = (*get_args(CallFault), *get_args(EndpointFault), "consistency")
_CALL_KINDS = frozenset(get_args(CallFault))
_ENDPOINT_KINDS = frozenset(get_args(EndpointFault))
_ANY = "*"


class FaultScriptError(ValueError):
    """A script that cannot be followed; says which rule and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that goes wrong, from the `nth` call on that it is about (the first is 1), `times` times (0: always).

    A call is about a rule when its service, operation and, if there is a `resource`, one of its ARNs fit (wildcards as in file
    names). `consistency` counts nothing: while the rule stands, new `resources` are not seen for `seconds`.
    """

    kind: str
    service: str = "sagemaker"
    operation: str = _ANY
    resource: str = ""
    nth: int = 1
    times: int = 1
    seconds: float = 0.0
    message: str = ""
    in_progress: bool = False
    """For `changed-by-someone`: whether the other's update is still going on when the call is answered."""
    resources: tuple[str, ...] = field(default=())

    def fits(self, service: str, operation: str, resources: Iterable[str]) -> bool:
        """Whether a call is about this rule."""
        if not fnmatch.fnmatchcase(service, self.service) or not fnmatch.fnmatchcase(operation, self.operation):
            return False
        return not self.resource or any(fnmatch.fnmatchcase(arn, self.resource) for arn in resources)


class Faults:
    """The script. All rules that a call is about count it; of those that are due the first happens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._seen: list[int] = []
        self._changed = threading.Condition(self._lock)

    def script(self, rules: Sequence[Rule]) -> None:
        """Replace the script; counting begins again."""
        with self._changed:
            self._rules = list(rules)
            self._seen = [0] * len(self._rules)
            self._changed.notify_all()

    def clear(self) -> None:
        """Nothing goes wrong any more, and what is stuck goes on."""
        self.script([])

    def as_json(self) -> list[dict[str, object]]:
        """The rules, and how many calls each has seen."""
        with self._lock:
            return [{**asdict(rule), "seen": seen} for rule, seen in zip(self._rules, self._seen, strict=True)]

    def take_for_call(self, site: CallSite) -> Rule | None:
        """What goes wrong with this call."""
        return self._take(_CALL_KINDS, site.service, site.operation, site.resources)

    def take_for_endpoint(self, operation: str, arn: str) -> Rule | None:
        """What goes wrong with the endpoint (or component) that this call has set in motion."""
        return self._take(_ENDPOINT_KINDS, "sagemaker", operation, [arn])

    def consistency_delay(self, kind: str) -> float:
        """For how long a new resource of a kind, `tags` or `role` is not seen."""
        with self._lock:
            rules = [rule for rule in self._rules if rule.kind == "consistency"]
        return max((rule.seconds for rule in rules if kind in rule.resources or not rule.resources), default=0.0)

    def wait_until_gone(self, rule: Rule, seconds: float) -> None:
        """Return when the script no longer has this rule, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: not any(rule is one for one in self._rules), timeout=seconds)

    def _take(self, kinds: frozenset[str], service: str, operation: str, resources: Sequence[str]) -> Rule | None:
        due: Rule | None = None
        with self._lock:
            for number, rule in enumerate(self._rules):
                if rule.kind not in kinds or not rule.fits(service, operation, resources):
                    continue
                self._seen[number] += 1
                seen = self._seen[number]
                if due is None and seen >= rule.nth and (rule.times == 0 or seen < rule.nth + rule.times):
                    due = rule
        return due


def read_rules(body: Fields) -> tuple[Rule, ...]:
    """The rules of `{"rules": [{"kind": "throttle", "operation": "CreateModel", "times": 2}, …]}`. Raises FaultScriptError."""
    try:
        return tuple(_read_rule(number, rule) for number, rule in enumerate(body.items_of("rules"), start=1))
    except TypeError as error:
        raise FaultScriptError(str(error)) from error


def _read_rule(number: int, rule: Fields) -> Rule:
    kind = rule.text("kind")
    if kind not in KINDS:
        raise FaultScriptError(f"rule {number}: kind {kind!r} is none of {', '.join(KINDS)}")
    unknown = sorted(set(rule) - set(Rule.__dataclass_fields__))
    if unknown:
        raise FaultScriptError(f"rule {number}: {', '.join(unknown)} is not known")
    if rule.whole("nth", 1) < 1 or rule.whole("times", 1) < 0 or rule.number("seconds") < 0:
        raise FaultScriptError(f"rule {number}: nth begins at 1; times and seconds at 0")
    return Rule(
        kind=kind,
        service=rule.text("service", "sagemaker"),
        operation=rule.text("operation", _ANY),
        resource=rule.text("resource"),
        nth=rule.whole("nth", 1),
        times=rule.whole("times", 1),
        seconds=rule.number("seconds"),
        message=rule.text("message"),
        in_progress=rule.flag("in_progress"),
        resources=rule.texts("resources"),
    )
