"""Every request passes faults, the policy and the log, whichever service answers; a defect is seen by all and ends nothing."""

from __future__ import annotations

import json

import pytest

from dockyard_sandbox.calls import Calls
from dockyard_sandbox.events import Events
from dockyard_sandbox.faults import Faults, Rule
from dockyard_sandbox.front import ConnectionCut, Front, Records
from dockyard_sandbox.guard import Guard
from dockyard_sandbox.routes import HttpRequest, HttpResponse, Service

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIATESTTEST1234/20260101/eu-west-1/{}/aws4_request, Signature=0"


class Broken:
    """A service with a defect."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        raise KeyError(request.path)


class Echo:
    """Answers with the path."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=request.path.encode())


def make_front(**services: Service) -> tuple[Front, Records]:
    records = Records(faults=Faults(), calls=Calls(), events=Events(), guard=Guard())
    return Front(services, records, lambda _region, _arn, _rule: None), records


def make_request(service: str = "kms", path: str = "/x") -> HttpRequest:
    return HttpRequest(method="GET", path=path, headers={"authorization": SIGNED.format(service)})


def test_defect_of_a_service_is_answered_and_told() -> None:
    front, records = make_front(kms=Broken())
    response = front.answer(make_request())
    assert (response.status, json.loads(response.body)["__type"]) == (500, "InternalFailure")
    (event,) = records.events.list_events()
    assert (event.kind, event.resource) == ("defect", "kms")
    (call,) = records.calls.list_calls()
    assert (call.status, call.error) == (500, "InternalFailure")


def test_service_that_is_not_there_is_answered_by_the_others_or_not_at_all() -> None:
    front, _ = make_front(other=Echo())
    assert front.answer(make_request()).body == b"/x"
    front, _ = make_front()
    assert front.answer(make_request()).status == 501


def test_cut_connection_is_logged_with_what_was_done_to_it() -> None:
    front, records = make_front(kms=Echo())
    records.faults.script([Rule(kind="reset-after", service="kms")])
    with pytest.raises(ConnectionCut):
        front.answer(make_request())
    (call,) = records.calls.list_calls()
    assert (call.status, call.fault) == (0, "reset-after")


@pytest.mark.parametrize("path", ["/_sandbox/calls", "/_sandbox/page"])
def test_what_the_sandbox_is_asked_itself_is_no_call(path: str) -> None:
    front, records = make_front(admin=Echo(), page=Echo())
    records.faults.script([Rule(kind="throttle", service="*", times=0)])
    assert front.answer(HttpRequest(method="GET", path=path)).body == path.encode()
    assert records.calls.list_calls() == ()
