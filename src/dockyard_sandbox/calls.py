"""The log of every call that reached the sandbox: which operation on which resources, by whom, and how it ended.

Owns the log. Must not hold bodies or signatures: a call is what a policy would have to allow.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field

KEPT = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """An action on a resource that a call needs, in the words of an IAM policy."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """What can be said of a call before it is answered."""

    service: str
    operation: str
    region: str
    principal: str
    mutating: bool
    permissions: tuple[Permission, ...] = ()

    @property
    def resources(self) -> tuple[str, ...]:
        """The ARNs that it touches."""
        return tuple(permission.resource for permission in self.permissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call and how it ended. `status` 0: the connection was cut instead of an answer. `fault` is a scripted kind."""

    number: int
    time: float
    seconds: float
    site: CallSite
    status: int
    error: str = ""
    fault: str = ""

    def as_json(self) -> dict[str, object]:
        """Flat, for the admin API."""
        site = asdict(self.site)
        site["permissions"] = [asdict(permission) for permission in self.site.permissions]
        rest = {"number": self.number, "time": self.time, "seconds": round(self.seconds, 4), "status": self.status}
        return {**rest, **site, "resources": list(self.site.resources), "error": self.error, "fault": self.fault}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended."""

    status: int
    error: str = ""
    fault: str = ""
    seconds: float = field(default=0.0)


class Calls:
    """The last calls since the start, or since `clear`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._count = 0
        self._roles: dict[str, float] = {}

    def add(self, site: CallSite, outcome: Outcome) -> None:
        """A call has ended."""
        now = time.time()
        with self._lock:
            self._count += 1
            call = Call(
                number=self._count,
                time=now,
                seconds=outcome.seconds,
                site=site,
                status=outcome.status,
                error=outcome.error,
                fault=outcome.fault,
            )
            self._calls.append(call)
            if site.operation == "CreateRole" and outcome.status == 200:
                self._roles.update({arn.rsplit("/", 1)[-1]: now for arn in site.resources})

    def list_calls(self) -> tuple[Call, ...]:
        """Oldest first."""
        with self._lock:
            return tuple(self._calls)

    def clear(self) -> None:
        """Forget all calls; numbers go on."""
        with self._lock:
            self._calls.clear()

    def role_age(self, role_arn: str) -> float | None:
        """Seconds since a role was created through the sandbox; None for one that was not."""
        with self._lock:
            created = self._roles.get(role_arn.rsplit("/", 1)[-1])
        return None if created is None else time.time() - created
