"""What goes wrong on a script, as boto3 meets it: before and after the effect, for our services and for passed-on ones."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from dockyard_sandbox.faults import Rule
from dockyard_sandbox.routes import HttpRequest, HttpResponse
from dockyard_sandbox.sandbox import Sandbox, SandboxSettings
from dockyard_sandbox.testing import FakeRunner, make_fake_parts
from support.patience import wait_for
from support.sandbox_admin import ask_admin
from support.sandbox_control import IMAGE, ROLE, UNSEEN_SECONDS, ApiCaller, ControlBench, read_error

MODEL = {"ModelName": "m", "PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": ROLE}


@pytest.mark.parametrize(
    ("kind", "code", "exists"),
    [
        ("throttle", "ThrottlingException", False),
        ("error-before", "InternalFailure", False),
        ("error-after", "InternalFailure", True),
        ("expired-token", "ExpiredTokenException", False),
        ("access-denied", "AccessDeniedException", False),
        ("quota", "ResourceLimitExceeded", False),
    ],
)
def test_fault_answers_with_its_error_before_or_after_the_effect(
    bench: ControlBench, kind: str, code: str, exists: bool
) -> None:
    bench.script(Rule(kind=kind, operation="CreateModel"))
    with pytest.raises(ClientError) as caught:
        bench.call("CreateModel", **MODEL)
    assert read_error(caught.value)[0] == code
    assert bool(bench.call("ListModels")["Models"]) == exists


def test_call_is_refused_with_whatever_error_is_scripted(bench: ControlBench) -> None:
    bench.script(
        Rule(kind="refuse", operation="CreateModel", code="ConflictException", status=409, message="busy"),
        Rule(kind="refuse", operation="InvokeEndpoint", code="ModelNotReadyException", status=429, message="cold"),
    )
    with pytest.raises(ClientError) as caught:
        bench.call("CreateModel", **MODEL)
    assert read_error(caught.value) == ("ConflictException", "busy")
    runtime = ApiCaller("sagemaker-runtime", bench.sandbox.url)
    with pytest.raises(ClientError) as caught:
        runtime("InvokeEndpoint", EndpointName="e", Body=b"")
    runtime.close()
    assert read_error(caught.value) == ("ModelNotReadyException", "cold")


@pytest.mark.parametrize(("kind", "exists"), [("reset-before", False), ("reset-after", True)])
def test_reset_cuts_the_connection(bench: ControlBench, kind: str, exists: bool) -> None:
    bench.script(Rule(kind=kind, operation="CreateModel"))
    with pytest.raises(ConnectionClosedError):
        bench.call("CreateModel", **MODEL)
    assert bool(bench.call("ListModels")["Models"]) == exists
    assert bench.sandbox.calls.list_calls()[0].status == 0


def test_lost_answer_and_botocores_retry_meet_the_model_that_exists(bench: ControlBench) -> None:
    bench.script(Rule(kind="reset-after", operation="CreateModel"))
    retrying = ApiCaller("sagemaker", bench.sandbox.url, attempts=3)
    with pytest.raises(ClientError) as caught:
        retrying("CreateModel", **MODEL)
    retrying.close()
    assert read_error(caught.value)[1].startswith("Cannot create already existing model")


def test_retries_get_past_throttling(bench: ControlBench) -> None:
    bench.script(Rule(kind="throttle", operation="*", times=1))
    retrying = ApiCaller("sagemaker", bench.sandbox.url, attempts=3)
    assert retrying("CreateModel", **MODEL).text("ModelArn")
    retrying.close()
    assert [(call.fault, call.error) for call in bench.sandbox.calls.list_calls()] == [
        ("throttle", "ThrottlingException"),
        ("", ""),
    ]


def test_access_denied_names_the_action_and_the_resource(bench: ControlBench) -> None:
    bench.script(Rule(kind="access-denied", operation="CreateModel"))
    with pytest.raises(ClientError) as caught:
        bench.call("CreateModel", **MODEL)
    message = read_error(caught.value)[1]
    assert (
        "not authorized to perform: sagemaker:CreateModel on resource: arn:aws:sagemaker:us-east-1:123456789012:model/m"
        in message
    )


@pytest.mark.parametrize(("kind", "seconds"), [("slow", 0.2), ("slow-after", 0.2)])
def test_slow_answer_comes_late(bench: ControlBench, kind: str, seconds: float) -> None:
    bench.script(Rule(kind=kind, operation="CreateModel", seconds=seconds))
    started = time.monotonic()
    bench.call("CreateModel", **MODEL)
    assert time.monotonic() - started >= seconds


def test_fault_happens_at_the_call_that_it_is_scripted_for(bench: ControlBench) -> None:
    bench.script(Rule(kind="quota", operation="DescribeModel", nth=2, times=2))
    bench.call("CreateModel", **MODEL)
    outcomes = []
    for _ in range(4):
        try:
            bench.call("DescribeModel", ModelName="m")
            outcomes.append("ok")
        except ClientError as error:
            outcomes.append(read_error(error)[0])
    assert outcomes == ["ok", "ResourceLimitExceeded", "ResourceLimitExceeded", "ok"]


def test_fault_for_a_resource_leaves_others_alone(bench: ControlBench) -> None:
    bench.script(Rule(kind="quota", resource="*:model/n", times=0))
    bench.call("CreateModel", **MODEL)
    with pytest.raises(ClientError):
        bench.call("CreateModel", **{**MODEL, "ModelName": "n"})


def test_new_configuration_is_not_seen_at_once_when_scripted(bench: ControlBench) -> None:
    bench.make_model()
    bench.script(Rule(kind="consistency", resources=("endpoint-config",), seconds=UNSEEN_SECONDS))
    bench.make_config()
    with pytest.raises(ClientError) as caught:
        bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert "Could not find endpoint configuration" in read_error(caught.value)[1]
    with pytest.raises(ClientError) as caught:
        bench.make_config()
    assert "Cannot create already existing" in read_error(caught.value)[1]
    time.sleep(UNSEEN_SECONDS + 0.1)
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")


def test_new_endpoint_is_not_seen_at_once_when_scripted(bench: ControlBench) -> None:
    bench.make_model()
    bench.make_config()
    bench.script(Rule(kind="consistency", resources=("endpoint",), seconds=UNSEEN_SECONDS))
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    for operation, more in (("DescribeEndpoint", {}), ("DeleteEndpoint", {}), ("UpdateEndpoint", {"EndpointConfigName": "c"})):
        with pytest.raises(ClientError) as caught:
            bench.call(operation, EndpointName="e", **more)
        assert "Could not find endpoint" in read_error(caught.value)[1]
    assert bench.call("ListEndpoints")["Endpoints"] == []
    with pytest.raises(ClientError) as caught:
        bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert "Cannot create already existing" in read_error(caught.value)[1]
    time.sleep(UNSEEN_SECONDS + 0.1)
    assert bench.wait().text("EndpointStatus") == "InService"
    assert [one.text("EndpointName") for one in bench.call("ListEndpoints").items_of("Endpoints")] == ["e"]


def test_new_tags_are_not_seen_at_once_when_scripted(bench: ControlBench) -> None:
    arn = bench.make_model(Tags=[{"Key": "a", "Value": "1"}])
    bench.script(Rule(kind="consistency", resources=("tags",), seconds=UNSEEN_SECONDS))
    bench.call("AddTags", ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
    assert bench.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    time.sleep(UNSEEN_SECONDS + 0.1)
    assert bench.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "2"}]


@pytest.mark.parametrize(("in_progress", "status"), [(False, "InService"), (True, "Updating")])
def test_someone_else_changes_the_endpoint_before_the_call_is_answered(
    bench: ControlBench, in_progress: bool, status: str
) -> None:
    bench.make_endpoint()
    bench.sandbox.pace.change(speed=0)
    bench.script(Rule(kind="changed-by-someone", operation="DescribeEndpoint", in_progress=in_progress))
    endpoint = bench.describe()
    assert endpoint.text("EndpointStatus") == status
    assert (endpoint.text("EndpointConfigName") == "c") == in_progress
    bench.sandbox.pace.change(speed=5000)
    assert bench.wait().text("EndpointConfigName") == "c-by-someone-else"


def test_someone_else_deletes_the_endpoint_before_the_call_is_answered(bench: ControlBench) -> None:
    bench.make_endpoint()
    bench.script(Rule(kind="deleted-by-someone", operation="UpdateEndpoint"))
    with pytest.raises(ClientError) as caught:
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert read_error(caught.value)[1].startswith(("Cannot update in-progress endpoint", "Could not find endpoint"))
    bench.wait_until_gone()


def test_maintained_endpoint_serves_and_is_not_changed(bench: ControlBench) -> None:
    bench.make_endpoint()
    bench.script(Rule(kind="system-updating", operation="UpdateEndpoint", seconds=0.2))
    with pytest.raises(ClientError) as caught:
        bench.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert read_error(caught.value)[1].startswith("Cannot update in-progress endpoint")
    assert bench.describe().text("EndpointStatus") == "SystemUpdating"
    view = bench.sandbox.find_serving("us-east-1", "e")
    assert view is not None
    assert view.serves
    wait_for(lambda: bench.describe().text("EndpointStatus") == "InService")


def test_interference_with_an_endpoint_that_is_not_there_changes_nothing(bench: ControlBench) -> None:
    bench.make_model()
    bench.make_config()
    bench.script(Rule(kind="changed-by-someone"), Rule(kind="deleted-by-someone"), Rule(kind="system-updating"))
    bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert bench.wait().text("EndpointConfigName") == "c"


def test_new_role_is_not_seen_at_once_when_scripted() -> None:
    parts = make_fake_parts(FakeRunner(), services={"other": Agreeable()})
    with Sandbox(SandboxSettings(make_parts=parts)) as sandbox:
        sandbox.faults.script([Rule(kind="consistency", resources=("role",), seconds=UNSEEN_SECONDS)])
        iam, call = ApiCaller("iam", sandbox.url), ApiCaller("sagemaker", sandbox.url)
        iam("CreateRole", RoleName="execution", AssumeRolePolicyDocument="{}")
        with pytest.raises(ClientError) as caught:
            call("CreateModel", **MODEL)
        assert read_error(caught.value)[1].startswith(f"Could not assume role {ROLE}.")
        time.sleep(UNSEEN_SECONDS + 0.1)
        call("CreateModel", **MODEL)
        iam.close()
        call.close()


def test_registry_fails_as_registries_do(bench: ControlBench) -> None:
    bench.script(Rule(kind="access-denied", service="registry"), Rule(kind="throttle", service="registry", nth=2))
    codes = []
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{bench.sandbox.url}/v2/team/demo/manifests/v1")
        codes.append((caught.value.code, json.load(caught.value)["errors"][0]["code"]))
        caught.value.close()
    assert codes == [(403, "DENIED"), (429, "UNKNOWN")]
    (first, _) = bench.sandbox.calls.list_calls()
    assert first.site.resources == ("arn:aws:ecr:us-east-1:123456789012:repository/team/demo",)


def test_admin_api_scripts_lists_and_clears(bench: ControlBench) -> None:
    sandbox = bench.sandbox
    ask_admin(sandbox, "PUT", "faults", {"rules": [{"kind": "throttle", "operation": "CreateModel"}]})
    with pytest.raises(ClientError):
        bench.call("CreateModel", **MODEL)
    assert ask_admin(sandbox, "GET", "faults").items_of("rules")[0].whole("seen") == 1
    ask_admin(sandbox, "DELETE", "faults")
    bench.call("CreateModel", **{**MODEL, "Tags": [{"Key": "k", "Value": "v"}]})
    calls = ask_admin(sandbox, "GET", "calls").items_of("calls")
    assert [(call.text("operation"), call.whole("status"), call["mutating"]) for call in calls] == [
        ("CreateModel", 400, True),
        ("CreateModel", 200, True),
    ]
    models = ask_admin(sandbox, "GET", "world").child("regions").child("us-east-1").items_of("model")
    assert [(model.text("name"), model["tags"]) for model in models] == [("m", {"k": "v"})]
    assert ask_admin(sandbox, "PUT", "pace", {"speed": 7}).number("speed") == 7
    assert [event.text("kind") for event in ask_admin(sandbox, "GET", "events").items_of("events")] == ["fault"]
    last = ask_admin(sandbox, "GET", "calls?last=1").items_of("calls")
    assert [call.whole("number") for call in last] == [calls[-1].whole("number")]
    ask_admin(sandbox, "DELETE", "calls")
    assert not ask_admin(sandbox, "GET", "calls").items_of("calls")


def test_route_that_is_none_is_not_found(bench: ControlBench) -> None:
    for method, route in (("GET", "nobody"), ("POST", "calls")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            ask_admin(bench.sandbox, method, route)
        assert caught.value.code == 404
        caught.value.close()


@pytest.mark.parametrize(
    ("route", "body"), [("pace", {"speed": -1}), ("quotas", {"instances": {"ml.x": 1}}), ("policy", {}), ("pace", [])]
)
def test_setting_that_is_illegal_is_refused(bench: ControlBench, route: str, body: object) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask_admin(bench.sandbox, "PUT", route, body)
    assert caught.value.code == 400
    caught.value.close()


@pytest.mark.parametrize(
    "rules", [[{"kind": "gremlin"}], [{"kind": "slow", "second": 1}], [{"kind": "slow", "nth": 0}], ["slow"], {"kind": "slow"}]
)
def test_script_that_is_not_understood_is_refused(bench: ControlBench, rules: object) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask_admin(bench.sandbox, "PUT", "faults", {"rules": rules})
    assert caught.value.code == 400
    caught.value.close()


class Agreeable:
    """A neighbour that says of everything that a role was made."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        body = b"<CreateRoleResponse><CreateRoleResult/></CreateRoleResponse>"
        return HttpResponse(body=body, headers={"Content-Type": request.headers.get("content-type", "")})


@pytest.fixture
def neighbourly() -> Iterator[Sandbox]:
    """A sandbox with a neighbour."""
    parts = make_fake_parts(FakeRunner(), services={"other": Agreeable()})
    with Sandbox(SandboxSettings(make_parts=parts)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("service", "operation", "request_body", "permission"),
    [
        ("s3", "PutObject", {"Bucket": "b", "Key": "k/x", "Body": b"1"}, ("s3:PutObject", "arn:aws:s3:::b/k/x")),
        ("s3", "HeadBucket", {"Bucket": "b"}, ("s3:ListBucket", "arn:aws:s3:::b")),
        ("iam", "GetRole", {"RoleName": "r"}, ("iam:GetRole", "arn:aws:iam::123456789012:role/r")),
        ("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "session"}, ("sts:AssumeRole", ROLE)),
        (
            "ecr",
            "CreateRepository",
            {"repositoryName": "team/demo"},
            ("ecr:CreateRepository", "arn:aws:ecr:us-east-1:123456789012:repository/team/demo"),
        ),
        ("cloudwatch", "DescribeAlarms", {}, ("cloudwatch:DescribeAlarms", "*")),
        (
            "logs",
            "DescribeLogStreams",
            {"logGroupName": "/g"},
            ("logs:DescribeLogStreams", "arn:aws:logs:us-east-1:123456789012:log-group:/g"),
        ),
    ],
)
def test_neighbours_calls_are_logged_and_fail_in_their_own_protocol(
    neighbourly: Sandbox, service: str, operation: str, request_body: dict[str, object], permission: tuple[str, str]
) -> None:
    neighbourly.faults.script([Rule(kind="access-denied", service="*")])
    call = ApiCaller(service, neighbourly.url)
    with pytest.raises(ClientError) as caught:
        call(operation, **request_body)
    call.close()
    code, _ = read_error(caught.value)
    assert code.startswith("AccessDenied") or (operation == "HeadBucket" and code == "403")
    (logged,) = neighbourly.calls.list_calls()
    assert (logged.site.permissions[0].action, logged.site.permissions[0].resource) == permission
    assert logged.fault == "access-denied"


def test_service_that_the_sandbox_does_not_have_is_an_honest_error(bench: ControlBench) -> None:
    call = ApiCaller("kms", bench.sandbox.url)
    with pytest.raises(ClientError) as caught:
        call("ListKeys")
    call.close()
    assert read_error(caught.value)[0] == "UnknownOperationException"
