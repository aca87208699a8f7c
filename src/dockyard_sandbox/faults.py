"""What goes wrong on a script: which call, how often, and how.

Owns the rules and counting calls against them. Must not carry a fault out: `front` does for calls, `rollout` for endpoints.
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from dockyard_sandbox.calls import CallSite
from dockyard_sandbox.fields import Fields
from dockyard_sandbox.world import LABELS

CALL_FAULTS: Mapping[str, str] = {
    "throttle": "Refused with ThrottlingException (`Rate exceeded`), or what the service calls it.",
    "error-before": "Answered with 500 and no effect.",
    "error-after": "Takes effect, then is answered with 500.",
    "reset-before": "The connection is reset; no effect.",
    "reset-after": "Takes effect, then the connection is reset: the answer is lost.",
    "slow": "Waits `seconds`, then goes on.",
    "slow-after": "Takes effect, waits `seconds`, then is answered.",
    "expired-token": "Refused with ExpiredTokenException.",
    "access-denied": "Refused with AccessDeniedException, which names the action and the resource.",
    "refuse": "Refused with `code`, `message` and `status`: whatever error a service has.",
    "quota": "Refused with ResourceLimitExceeded.",
    "changed-by-someone": "Before it is answered, somebody else gives the endpoint that it names another configuration.",
    "deleted-by-someone": "Before it is answered, somebody else deletes the endpoint that it names.",
    "system-updating": "Before it is answered, AWS begins to maintain the endpoint: SystemUpdating for `seconds`.",
}
"""What happens to a call, and what that means."""
ENDPOINT_FAULTS: Mapping[str, str] = {
    "capacity": "No instances: a new endpoint fails, an update is rolled back.",
    "ping-failure": "The container does not pass `/ping`: a new endpoint fails, an update is rolled back.",
    "rollback-empty-reason": "An update is rolled back, and FailureReason is empty.",
    "update-rollback-failed": "An update and its rollback fail: UpdateRollbackFailed, with both configurations in service.",
    "stuck-creating": "Stays Creating or Updating for `seconds` (none: a day), or until the script changes; then fails.",
}
"""What happens to an endpoint or inference component after the call that creates or updates it was accepted."""
INTERFERENCES = frozenset({"changed-by-someone", "deleted-by-someone", "system-updating"})
"""Those of CALL_FAULTS that happen to the endpoint that a call names."""
CONSISTENCY = "consistency"
KINDS = (*CALL_FAULTS, *ENDPOINT_FAULTS, CONSISTENCY)
_ANY = "*"
_HIDDEN = frozenset({*LABELS, "tags", "role"})


class FaultScriptError(ValueError):
    """A script that cannot be followed; says which rule and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that goes wrong. A call counts for it when service, operation and, where a `resource` is given, an ARN fit."""

    kind: str
    """What goes wrong: see the kinds."""
    service: str = "sagemaker"
    """The signing name of the service; `*` and `?` stand for any characters. `registry` is what a push or pull asks."""
    operation: str = _ANY
    """Such as `CreateModel`; with wildcards."""
    resource: str = ""
    """An ARN, with wildcards; empty: any."""
    nth: int = 1
    """The call at which it begins; the first that counts is 1."""
    times: int = 1
    """How often it happens; 0: always."""
    seconds: float = 0.0
    """How long, for the kinds that take time. Seconds of the clock, whatever the pace."""
    message: str = ""
    """Instead of the error's own message."""
    code: str = "ValidationException"
    """For `refuse`: the error's code."""
    status: int = 400
    """For `refuse`: the HTTP status."""
    in_progress: bool = False
    """For `changed-by-someone`: whether the other's update still goes on when the call is answered."""
    resources: tuple[str, ...] = field(default=())
    """For `consistency`: what is not seen for `seconds` once made or changed: kinds as in ARNs, `tags`, `role`. Empty: all."""

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
        return self._take(CALL_FAULTS, site.service, site.operation, site.resources)

    def take_for_endpoint(self, operation: str, arn: str) -> Rule | None:
        """What goes wrong with the endpoint (or component) that this call has set in motion."""
        return self._take(ENDPOINT_FAULTS, "sagemaker", operation, [arn])

    def consistency_delay(self, kind: str) -> float:
        """For how long a new resource of a kind, `tags` or `role` is not seen."""
        with self._lock:
            rules = [rule for rule in self._rules if rule.kind == CONSISTENCY]
        return max((rule.seconds for rule in rules if kind in rule.resources or not rule.resources), default=0.0)

    def wait_until_gone(self, rule: Rule, seconds: float) -> None:
        """Return when the script no longer has this rule, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: not any(rule is one for one in self._rules), timeout=seconds)

    def _take(self, kinds: Mapping[str, str], service: str, operation: str, resources: Sequence[str]) -> Rule | None:
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
    unseen = sorted(set(rule.texts("resources")) - _HIDDEN)
    if unseen:
        raise FaultScriptError(f"rule {number}: resources {', '.join(unseen)} are none of {', '.join(sorted(_HIDDEN))}")
    return Rule(
        kind=kind,
        service=rule.text("service", "sagemaker"),
        operation=rule.text("operation", _ANY),
        resource=rule.text("resource"),
        nth=rule.whole("nth", 1),
        times=rule.whole("times", 1),
        seconds=rule.number("seconds"),
        message=rule.text("message"),
        code=rule.text("code", "ValidationException"),
        status=rule.whole("status", 400),
        in_progress=rule.flag("in_progress"),
        resources=rule.texts("resources"),
    )
