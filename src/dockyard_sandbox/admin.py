"""The sandbox's own API under `/_sandbox`: what was called, what goes wrong, what exists, what happened, how fast.

Owns its routes and JSON. Must not be reachable for AWS's clients by accident: no AWS service has such paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dockyard_sandbox.calls import Calls
from dockyard_sandbox.endpoint_view import describe_endpoint
from dockyard_sandbox.events import Events
from dockyard_sandbox.faults import Faults, FaultScriptError, read_rules
from dockyard_sandbox.guard import Guard
from dockyard_sandbox.pace import Pace
from dockyard_sandbox.policy import read_policy
from dockyard_sandbox.quotas import Quotas
from dockyard_sandbox.routes import HttpRequest, HttpResponse, answer_json, read_json
from dockyard_sandbox.world import World, Worlds


@dataclass(frozen=True, slots=True, kw_only=True)
class Insides:
    """What the admin API shows and sets."""

    worlds: Worlds
    calls: Calls
    faults: Faults
    events: Events
    pace: Pace
    quotas: Quotas
    guard: Guard


_EVENTS = "State changes of endpoints, components and jobs, faults that happened, defects of the sandbox; oldest first."


class AdminRoute(NamedTuple):
    """One thing that can be asked."""

    method: str
    name: str
    handler: Callable[[HttpRequest], HttpResponse]
    text: str | None


class Admin:
    """Answers `/_sandbox/…`."""

    def __init__(self, insides: Insides) -> None:
        self._insides = insides
        self._routes = {(route.method, route.name): route for route in self._list_routes()}

    def list_routes(self) -> tuple[AdminRoute, ...]:
        """What can be asked, in the order of the documentation."""
        return tuple(self._routes.values())

    def _list_routes(self) -> Iterator[AdminRoute]:
        insides = self._insides
        yield AdminRoute("GET", "health", lambda _: answer_json({"status": "ok"}), "Answers once the sandbox does.")
        yield AdminRoute("GET", "world", lambda _: answer_json(describe_worlds(insides.worlds)), describe_worlds.__doc__)
        yield AdminRoute("GET", "events", lambda _: answer_json({"events": insides.events.as_json()}), _EVENTS)
        for method, name, handler in (
            ("GET", "calls", self._list_calls),
            ("DELETE", "calls", self._clear_calls),
            ("GET", "faults", self._list_faults),
            ("PUT", "faults", self._script_faults),
            ("DELETE", "faults", self._clear_faults),
            ("GET", "pace", self._describe_pace),
            ("PUT", "pace", self._change_pace),
            ("GET", "quotas", self._list_quotas),
            ("PUT", "quotas", self._change_quotas),
            ("PUT", "policy", self._set_policy),
            ("DELETE", "policy", self._clear_policy),
        ):
            yield AdminRoute(method, name, handler, handler.__doc__)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The answer; 404 for a route that is none, 400 for a body that is not understood."""
        name = request.path.removeprefix("/_sandbox").strip("/")
        route = self._routes.get((request.method, name))
        if route is None:
            return answer_json({"error": f"no such route: {request.method} {request.path}"}, status=404)
        try:
            return route.handler(request)
        except (FaultScriptError, ValueError, TypeError) as error:
            return answer_json({"error": str(error)}, status=400)

    def _list_calls(self, request: HttpRequest) -> HttpResponse:
        """Every call (`?last=100`: the last ones): operation, ARNs, permissions, mutating or not, status, error, fault."""
        last = int(request.parameters.get("last", "0"))
        return answer_json({"calls": [call.as_json() for call in self._insides.calls.list_calls()[-last:]]})

    def _clear_calls(self, _request: HttpRequest) -> HttpResponse:
        """Forget all calls."""
        self._insides.calls.clear()
        return answer_json({})

    def _list_faults(self, _request: HttpRequest) -> HttpResponse:
        """The script, and how many calls each rule has seen."""
        return answer_json({"rules": self._insides.faults.as_json()})

    def _script_faults(self, request: HttpRequest) -> HttpResponse:
        """Replace the script: `{"rules": [{"kind": "throttle", "operation": "CreateModel", "times": 2}]}`."""
        self._insides.faults.script(read_rules(read_json(request)))
        return self._list_faults(request)

    def _clear_faults(self, request: HttpRequest) -> HttpResponse:
        """Nothing goes wrong any more; what is stuck goes on."""
        self._insides.faults.clear()
        return self._list_faults(request)

    def _list_quotas(self, _request: HttpRequest) -> HttpResponse:
        """How many instances of each type endpoints may have together."""
        return answer_json({"instances": self._insides.quotas.list_limits()})

    def _change_quotas(self, request: HttpRequest) -> HttpResponse:
        """Set some of them: `{"instances": {"ml.m5.large": 0}}`."""
        limits = read_json(request).child("instances")
        self._insides.quotas.change({name: limits.whole(name) for name in limits})
        return self._list_quotas(request)

    def _set_policy(self, request: HttpRequest) -> HttpResponse:
        """Deny every call, of whatever caller, that this IAM policy document does not allow."""
        self._insides.guard.set_policy(read_policy(read_json(request)))
        return answer_json({})

    def _clear_policy(self, _request: HttpRequest) -> HttpResponse:
        """Allow everything again."""
        self._insides.guard.set_policy(None)
        return answer_json({})

    def _describe_pace(self, _request: HttpRequest) -> HttpResponse:
        """How many of AWS's seconds pass in one of ours: in general, and for a container's start."""
        pace = self._insides.pace
        return answer_json({"speed": pace.speed, "startup_speed": pace.startup_speed})

    def _change_pace(self, request: HttpRequest) -> HttpResponse:
        """Set one or both: `{"speed": 60, "startup_speed": 8}`. `speed` 0 is a standstill."""
        body = read_json(request)
        self._insides.pace.change(
            speed=body.number("speed") if "speed" in body else None,
            startup_speed=body.number("startup_speed") if "startup_speed" in body else None,
        )
        return self._describe_pace(request)


def describe_worlds(worlds: Worlds) -> dict[str, object]:
    """Everything that exists, by region and kind, with tags: what a test looks for orphans in."""
    return {"regions": {world.place.region: describe_world(world) for world in worlds}}


def describe_world(world: World) -> dict[str, object]:
    """Everything that exists in a region, seen yet or not."""
    with world.lock:
        body: dict[str, object] = {
            kind: [
                {"name": record.name, "arn": record.arn, "created": record.created, "tags": world.tags.find(record.arn)}
                for record in table.list_all()
            ]
            for kind, table in world.tables.items()
        }
        body["endpoint"] = [
            {"name": one.name, "arn": one.arn, "tags": world.tags.find(one.arn), "description": describe_endpoint(one)}
            for one in world.endpoints.values()
        ]
        body["inference-component"] = [
            {"name": one.name, "arn": one.arn, "tags": world.tags.find(one.arn), "status": one.status}
            for one in world.components.values()
        ]
    return body
