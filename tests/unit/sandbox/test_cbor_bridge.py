"""A service that speaks JSON only answers calls in CBOR, as botocore's own reader of CBOR finds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.session import Session

from dockyard_sandbox.cbor import decode_cbor, encode_cbor
from dockyard_sandbox.cbor_bridge import CborBridge
from dockyard_sandbox.front import read_error_code
from dockyard_sandbox.routes import HttpRequest, HttpResponse

SERVICE = "GraniteServiceVersion20100801"
MODEL = Session().get_service_model("cloudwatch")


@dataclass
class JsonService:
    """Answers everything with this."""

    told: object = None
    status: int = 200
    asked: list[HttpRequest] = field(default_factory=list)

    def answer(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        body = b"" if self.told is None else json.dumps(self.told).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "1"}
        return HttpResponse(status=self.status, headers=headers, body=body)


def call(service: JsonService, operation: str, body: object = None) -> HttpResponse:
    headers = {"authorization": "signed", "content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    path = f"/service/{SERVICE}/operation/{operation}"
    content = b"" if body is None else encode_cbor(body)
    return CborBridge(service).answer(HttpRequest(method="POST", path=path, headers=headers, body=content))


def read(response: HttpResponse, operation: str) -> Any:  # noqa: ANN401  botocore has no types
    answer = {"status_code": response.status, "headers": response.headers, "body": response.body}
    return create_parser("smithy-rpc-v2-cbor").parse(answer, MODEL.operation_model(operation).output_shape)


def test_request_reaches_the_service_in_json_with_its_signature() -> None:
    service = JsonService({})
    call(service, "DescribeAlarms", {"AlarmNames": ["a"], "MaxRecords": 3})
    (asked,) = service.asked
    assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/", {"AlarmNames": ["a"], "MaxRecords": 3})
    assert asked.headers == {
        "authorization": "signed",
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": f"{SERVICE}.DescribeAlarms",
    }


@pytest.mark.parametrize("moment", [1767225600.0, "2026-01-01T00:00:00Z"])
def test_answer_has_times_and_floats_of_their_own_kinds_and_nothing_empty(moment: object) -> None:
    alarm = {"AlarmName": "a", "Threshold": 2, "Period": 60, "StateUpdatedTimestamp": moment, "Unit": None, "Unknown": 1}
    response = call(JsonService({"MetricAlarms": [alarm], "NextToken": None}), "DescribeAlarms")
    (found,) = read(response, "DescribeAlarms")["MetricAlarms"]
    assert found == {
        "AlarmName": "a",
        "Threshold": 2.0,
        "Period": 60,
        "StateUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=timezone.utc),
    }
    assert type(decode_cbor(response.body)["MetricAlarms"][0]["Threshold"]) is float  # type: ignore[index]
    assert (response.headers["smithy-protocol"], response.headers["x-amzn-RequestId"]) == ("rpc-v2-cbor", "1")
    assert response.headers["Content-Type"] == "application/cbor"


def test_bytes_travel_both_ways() -> None:
    picture = call(JsonService({"MetricWidgetImage": "AAEC"}), "GetMetricWidgetImage", {"MetricWidget": "{}"})
    assert read(picture, "GetMetricWidgetImage")["MetricWidgetImage"] == b"\x00\x01\x02"
    service = JsonService()
    call(service, "DescribeAlarms", {"NextToken": b"\x00\x01\x02"})
    assert json.loads(service.asked[0].body) == {"NextToken": "AAEC"}


def test_map_is_translated_entry_by_entry() -> None:
    told = {"AlarmContributors": [{"ContributorId": "1", "ContributorAttributes": {"host": "a"}, "StateReason": "r"}]}
    found = read(call(JsonService(told), "DescribeAlarmContributors"), "DescribeAlarmContributors")
    assert found["AlarmContributors"][0]["ContributorAttributes"] == {"host": "a"}


def test_operation_that_returns_nothing_is_answered_with_nothing() -> None:
    response = call(JsonService(), "DeleteAlarms", {"AlarmNames": ["a"]})
    assert (response.status, decode_cbor(response.body)) == (200, {})


def test_refusal_keeps_its_code_status_and_words() -> None:
    service = JsonService({"__type": "com.amazonaws.cloudwatch#ResourceNotFound", "message": "no such alarm"}, status=404)
    response = call(service, "SetAlarmState", {})
    error = read(response, "SetAlarmState")["Error"]
    assert (response.status, error["Code"], error["Message"]) == (404, "ResourceNotFound", "no such alarm")
    assert read_error_code(response) == "ResourceNotFound"


def test_operation_that_does_not_exist_is_refused_without_asking() -> None:
    service = JsonService()
    assert (read_error_code(call(service, "Dance")), service.asked) == ("UnknownOperationException", [])


def test_call_in_another_protocol_passes_through() -> None:
    service, request = JsonService({"a": 1}), HttpRequest(method="POST", path="/")
    assert json.loads(CborBridge(service).answer(request).body) == {"a": 1}
    assert service.asked == [request]
