"""What every request passes, whichever service it is for: faults of the script, and the call log.

Owns the order: fault before, service, fault after, log. Must not answer for a service, but with a fault.
"""

from __future__ import annotations

import json
import re
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dockyard_sandbox.arns import ACCOUNT
from dockyard_sandbox.call_sites import read_call_site
from dockyard_sandbox.calls import Calls, CallSite, Outcome, Permission
from dockyard_sandbox.errors import ApiError, exceed_quota
from dockyard_sandbox.events import Events
from dockyard_sandbox.faults import INTERFERENCES, Faults, Rule
from dockyard_sandbox.guard import Guard
from dockyard_sandbox.protocol import answer_error
from dockyard_sandbox.routes import HttpRequest, HttpResponse, Service, find_service_name

_UNLOGGED = frozenset({"admin", "page"})
_BEFORE = frozenset({"throttle", "error-before", "expired-token", "access-denied", "quota", "refuse", "reset-before"})
_XML_SERVICES = frozenset({"s3", "sts", "iam", "sns", "ec2"})
_XML_CODE = re.compile(rb"<Code>([\w.]+)</Code>")


class ConnectionCut(Exception):  # noqa: N818 it is an order to the server, not a failure
    """Reset the connection instead of answering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the front reads its orders from, and where it writes."""

    faults: Faults
    calls: Calls
    events: Events
    guard: Guard


Interfere = Callable[[str, str, Rule], None]
"""Does to the endpoint of a region and an ARN what a rule says that somebody else does."""


class Front:
    """Passes requests to services. A service that is not there is what `other` answers; without that, an honest error."""

    def __init__(self, services: Mapping[str, Service], records: Records, interfere: Interfere) -> None:
        self._services = services
        self._records = records
        self._interfere = interfere

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The answer. Raises ConnectionCut."""
        name = find_service_name(request)
        if name in _UNLOGGED:
            return self._ask(name, request)
        site = read_call_site(request, name)
        rule = self._records.faults.take_for_call(site)
        started = time.monotonic()
        try:
            response = self._answer(name, request, site, rule)
        except ConnectionCut:
            self._log(site, rule, started, HttpResponse(status=0))
            raise
        self._log(site, rule, started, response)
        return response

    def _answer(self, name: str, request: HttpRequest, site: CallSite, rule: Rule | None) -> HttpResponse:
        denied = self._records.guard.find_denied(site)
        if denied is not None:
            return answer_error(deny(denied, site, request), request, site.service)
        if rule is None:
            return self._ask(name, request)
        self._records.events.tell("fault", ", ".join(site.resources), f"{rule.kind} at {site.service}:{site.operation}")
        if rule.kind in _BEFORE:
            return self._fail(rule, site, request)
        if rule.kind == "slow":
            time.sleep(rule.seconds)
        if rule.kind in INTERFERENCES:
            self._interfere_with_all(site, rule)
        response = self._ask(name, request)
        return self._spoil(rule, site, request, response)

    def _spoil(self, rule: Rule, site: CallSite, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if rule.kind in {"error-after", "reset-after"}:
            return self._fail(rule, site, request)
        if rule.kind == "slow-after":
            time.sleep(rule.seconds)
        return response

    def _fail(self, rule: Rule, site: CallSite, request: HttpRequest) -> HttpResponse:
        if rule.kind in {"reset-before", "reset-after"}:
            raise ConnectionCut(rule.kind)
        return answer_error(make_fault_error(rule, site, request), request, site.service)

    def _interfere_with_all(self, site: CallSite, rule: Rule) -> None:
        for arn in dict.fromkeys(site.resources):
            if ":endpoint/" in arn:
                self._interfere(site.region, arn, rule)

    def _ask(self, name: str, request: HttpRequest) -> HttpResponse:
        service = self._services.get(name) or self._services.get("other")
        if service is None:
            error = ApiError("UnknownOperationException", f"This sandbox was started without {name}.", status=501)
            return answer_error(error, request, name)
        try:
            return service.answer(request)
        except Exception as error:  # noqa: BLE001 a defect must be seen by the client and among the events, and end neither
            self._records.events.tell("defect", name, traceback.format_exc(limit=6))
            failure = ApiError("InternalFailure", f"A defect of the sandbox: {type(error).__name__}: {error}", status=500)
            return answer_error(failure, request, name)

    def _log(self, site: CallSite, rule: Rule | None, started: float, response: HttpResponse) -> None:
        outcome = Outcome(
            status=response.status,
            error=read_error_code(response) if response.status >= 300 else "",
            fault=rule.kind if rule else "",
            seconds=time.monotonic() - started,
        )
        self._records.calls.add(site, outcome)


def make_fault_error(rule: Rule, site: CallSite, request: HttpRequest) -> ApiError:
    """The error that a scripted fault answers with, in the words of the service's protocol."""
    xml = site.service in _XML_SERVICES
    first = site.permissions[0] if site.permissions else Permission(action=f"{site.service}:{site.operation}", resource="*")
    errors = {
        "throttle": ApiError("Throttling" if xml else "ThrottlingException", "Rate exceeded"),
        "expired-token": ApiError(
            "ExpiredToken" if xml else "ExpiredTokenException", "The security token included in the request is expired"
        ),
        "access-denied": deny(first, site, request),
        "refuse": ApiError(rule.code, "Refused as scripted.", status=rule.status),
        "quota": exceed_quota("ml.m5.large for endpoint usage", value=0, used=0, wanted=1),
    }
    error = errors.get(
        rule.kind, ApiError("InternalFailure", "We encountered an internal error. Please try again.", status=500)
    )
    return ApiError(error.code, rule.message, status=error.status) if rule.message else error


def deny(permission: Permission, site: CallSite, request: HttpRequest) -> ApiError:
    """What a caller is answered who does not have a permission."""
    user = f"arn:aws:iam::{ACCOUNT}:user/{request.scope.access_key[:4] if request.scope else 'anonymous'}"
    message = (
        f"User: {user} is not authorized to perform: {permission.action} on resource: {permission.resource} because no "
        f"identity-based policy allows the {permission.action} action"
    )
    xml = site.service in _XML_SERVICES
    return ApiError("AccessDenied" if xml else "AccessDeniedException", message, status=403 if xml else 400)


def read_error_code(response: HttpResponse) -> str:
    """The error code in an answer of any of the protocols; empty where it has none."""
    told = response.headers.get("x-amzn-query-error", "")
    if told:
        return told.partition(";")[0]
    found = _XML_CODE.search(response.body)
    if found:
        return found[1].decode()
    try:
        body: object = json.loads(response.body)
    except ValueError:
        return ""
    return str(body.get("__type", "")).rpartition("#")[2] if isinstance(body, dict) else ""
