"""Invocations reach the right container with the right headers, and fail as SageMaker lets them fail."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.invocation_log import InvocationLog
from dockyard_sandbox.invocations import Invocations, InvocationSettings
from dockyard_sandbox.routes import HttpRequest, HttpResponse
from dockyard_sandbox.runtime import Runtime
from dockyard_sandbox.serving import ServingComponent, ServingEndpoint, ServingVariant, Target
from support.patience import wait_for

REGION = "eu-central-1"
SIGNED = f"AWS4-HMAC-SHA256 Credential=KEY/20260304/{REGION}/sagemaker/aws4_request, Signature=0"
MODEL = Fields({"ModelName": "wine"})


@dataclass
class ListeningContainer:
    """A container that keeps what it is asked, and answers what it is told to."""

    status: int = 200
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    held: threading.Event | None = None
    address: str = ""

    def exit_code(self) -> int | None:
        return None

    def stop(self, grace_seconds: float = 30) -> None:
        """Nothing to stop: the `with` block does."""


@contextmanager
def listening(status: int = 200, held: threading.Event | None = None) -> Iterator[ListeningContainer]:
    container = ListeningContainer(status=status, held=held)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            container.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if container.held is not None:
                container.held.wait(10)
            self.send_response(container.status)
            self.send_header("Content-Type", "text/csv")
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", "seen")
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"1\n2\n")

        def log_message(self, *_: object) -> None:
            """Tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    container.address = f"127.0.0.1:{server.server_address[1]}"
    try:
        yield container
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class OneEndpoint:
    """Serves an endpoint of one region."""

    def __init__(self, endpoint: ServingEndpoint) -> None:
        self.endpoint = endpoint

    def find_serving(self, region: str, name: str) -> ServingEndpoint | None:
        return self.endpoint if (region, name) == (self.endpoint.region, self.endpoint.name) else None


class Bench:
    """An endpoint, the runtime before it and what it has noted."""

    def __init__(self, endpoint: ServingEndpoint, draws: Sequence[float] = (0.0,), timeout: float = 5.0) -> None:
        self.serving = OneEndpoint(endpoint)
        self.log = InvocationLog()
        self.draws = iter([*draws] * 50)
        settings = InvocationSettings(timeout_seconds=timeout, draw=lambda: next(self.draws))
        self.runtime = Runtime(Invocations(self.serving, self.log, settings), lambda _: HttpResponse(status=202))

    def invoke(self, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> HttpResponse:
        path, signed = "/endpoints/wine/invocations", {"authorization": SIGNED, **(headers or {})}
        return self.runtime.answer(HttpRequest(method="POST", path=path, headers=signed, body=body))


def variant(
    *containers: ListeningContainer, name: str = "AllTraffic", weight: float = 1.0, **definition: object
) -> ServingVariant:
    share = 1 / len(containers) if containers else 0
    targets = tuple(Target(container=one, share=share, config_name="c1", instance=f"{name}/i-1") for one in containers)
    return ServingVariant(name=name, weight=weight, targets=targets, definition=Fields({**MODEL, **definition}))


def endpoint(*variants: ServingVariant, status: str = "InService", config: Fields | None = None) -> ServingEndpoint:
    return ServingEndpoint(
        name="wine",
        arn=f"arn:aws:sagemaker:{REGION}:123456789012:endpoint/wine",
        region=REGION,
        status=status,
        config_name="c1",
        config=config or Fields({}),
        variants=variants,
    )


def error_of(answer: HttpResponse) -> tuple[int, str, Fields]:
    return answer.status, answer.headers["x-amzn-ErrorType"], as_fields(json.loads(answer.body))


def test_request_and_answer_pass_with_the_headers_that_sagemaker_passes() -> None:
    with listening() as container:
        sent = {"content-type": "application/json", "accept": "text/csv", "x-secret": "no", "x-amz-date": "no"}
        bench = Bench(endpoint(variant(container)))
        answer = bench.invoke(b'{"a": 1}', {**sent, "x-amzn-sagemaker-custom-attributes": "trace=1"})
    headers, body = container.asked[0]
    assert body == b'{"a": 1}'
    assert (headers["content-type"], headers["accept"]) == ("application/json", "text/csv")
    assert headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"
    assert not {"authorization", "x-secret", "x-amz-date"} & set(headers)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"1\n2\n", "text/csv")
    assert answer.headers["x-Amzn-Invoked-Production-Variant"] == "AllTraffic"
    assert answer.headers["X-Amzn-SageMaker-Custom-Attributes"] == "seen"


@pytest.mark.parametrize(("status", "kind"), [(400, "client"), (404, "client"), (500, "server"), (503, "server")])
def test_error_of_the_container_is_a_model_error(status: int, kind: str) -> None:
    with listening(status) as container:
        bench = Bench(endpoint(variant(container)))
        code, name, fields = error_of(bench.invoke())
    assert (code, name) == (424, "ModelError")
    assert (fields.whole("OriginalStatusCode"), fields.text("OriginalMessage")) == (status, "1\n2\n")
    assert fields.text("Message").startswith(f'Received {kind} error ({status}) from primary with message "1\n2\n".')
    group = f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/sagemaker/Endpoints/wine"
    assert fields.text("LogStreamArn") == f"{group}:log-stream:AllTraffic/i-1"
    noted = bench.log.list_since(60)[0]
    assert (noted.status, noted.model_status, noted.config_name) == (424, status, "c1")


def test_container_that_does_not_answer_in_time_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        container = ListeningContainer(address=f"127.0.0.1:{deaf.getsockname()[1]}")
        code, _, fields = error_of(Bench(endpoint(variant(container)), timeout=0.1).invoke())
    assert (code, fields.whole("OriginalStatusCode")) == (424, 0)
    assert "Your invocation timed out while waiting for a response" in fields.text("Message")


def test_container_that_is_gone_is_told() -> None:
    code, _, fields = error_of(Bench(endpoint(variant(ListeningContainer(address="127.0.0.1:1")))).invoke())
    assert (code, fields.text("OriginalMessage")) == (
        424,
        "The container primary closed the connection before it had answered.",
    )


@pytest.mark.parametrize("status", ["Creating", "Failed", "Deleting", "OutOfService"])
def test_endpoint_that_does_not_serve_is_not_found(status: str) -> None:
    with listening() as container:
        code, name, fields = error_of(Bench(endpoint(variant(container), status=status)).invoke())
    assert (code, name) == (400, "ValidationError")
    assert fields.text("Message") == "Endpoint wine of account 123456789012 not found."


@pytest.mark.parametrize("status", ["Updating", "RollingBack", "UpdateRollbackFailed", "SystemUpdating"])
def test_endpoint_serves_while_it_changes(status: str) -> None:
    with listening() as container:
        assert Bench(endpoint(variant(container), status=status)).invoke().status == 200


def test_variant_without_containers_is_passed_over() -> None:
    with listening() as container:
        bench = Bench(endpoint(variant(name="empty", weight=9), variant(container, name="full", weight=1)))
        assert bench.invoke().headers["x-Amzn-Invoked-Production-Variant"] == "full"
    assert error_of(Bench(endpoint(variant())).invoke())[:2] == (503, "ServiceUnavailable")


def test_both_fleets_of_a_rollout_are_asked_by_their_share() -> None:
    with listening() as old, listening() as new:
        both = variant(old, new)
        shares = tuple(replace(target, share=share) for target, share in zip(both.targets, (0.9, 0.1), strict=True))
        draws = [part for number in range(10) for part in (0.0, number / 10)]  # one for the variant, one for the container
        bench = Bench(endpoint(replace(both, targets=shares)), draws)
        for _ in range(10):
            bench.invoke()
    assert (len(old.asked), len(new.asked)) == (9, 1)


def test_shadow_gets_its_sample_and_its_answer_is_thrown_away() -> None:
    with listening() as container, listening(500) as hidden:
        shadowed = replace(endpoint(variant(container)), shadows=(variant(hidden, name="shadow", weight=0.5),))
        bench = Bench(shadowed, draws=[0.0, 0.0, 0.4, 0.0])
        assert bench.invoke(b"copied").status == 200
        wait_for(lambda: len(bench.log.list_since(60)) == 2)
        assert hidden.asked[0][1] == b"copied"
        never = Bench(shadowed, draws=[0.9])
        assert never.invoke().status == 200
        assert len(never.log.list_since(60)) == 1


def test_serverless_refuses_more_at_once_than_it_may_take() -> None:
    held = threading.Event()
    with listening(held=held) as container:
        small = variant(container, ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1})
        bench = Bench(endpoint(small))
        first: list[HttpResponse] = []
        thread = threading.Thread(target=lambda: first.append(bench.invoke()))
        thread.start()
        wait_for(lambda: len(container.asked) == 1)
        assert error_of(bench.invoke())[:2] == (429, "ThrottlingException")
        held.set()
        thread.join()
        assert first[0].status == 200
        assert bench.invoke().status == 200


def test_inference_component_must_be_named_and_have_copies() -> None:
    with listening() as container:
        empty = variant()
        bare = replace(endpoint(replace(empty, definition=Fields({"VariantName": "AllTraffic"}))))
        assert "Inference Component Name header is required" in error_of(Bench(bare).invoke())[2].text("Message")
        targets = variant(container).targets
        component = ServingComponent(name="wine-copy", variant_name="AllTraffic", status="InService", targets=targets)
        scaled_to_zero = replace(component, name="zero", targets=())
        bench = Bench(replace(bare, components=(component, scaled_to_zero)))
        header = "x-amzn-sagemaker-inference-component"
        assert bench.invoke(headers={header: "wine-copy"}).status == 200
        assert bench.log.list_since(60)[0].component == "wine-copy"
        assert "Inference Component Name header is required" in error_of(bench.invoke())[2].text("Message")
        assert "has no capacity to process this request" in error_of(bench.invoke(headers={header: "zero"}))[2].text("Message")
        assert "Inference Component other of account" in error_of(bench.invoke(headers={header: "other"}))[2].text("Message")


def test_asynchronous_endpoint_is_not_invoked_directly() -> None:
    with listening() as container:
        config = Fields({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}})
        bench = Bench(endpoint(variant(container), config=config))
        assert "is asynchronous" in error_of(bench.invoke())[2].text("Message")


def test_call_that_is_not_offered_is_an_honest_error() -> None:
    bench = Bench(endpoint(variant()))
    path = "/endpoints/wine/invocations-bidirectional-stream"
    answer = bench.runtime.answer(HttpRequest(method="POST", path=path, headers={"authorization": SIGNED}))
    assert error_of(answer)[:2] == (501, "UnknownOperationException")
    asynchronous = HttpRequest(method="POST", path="/endpoints/wine/async-invocations", headers={"authorization": SIGNED})
    assert bench.runtime.answer(asynchronous).status == 202


def test_totals_outlive_the_last_invocations() -> None:
    with listening() as good, listening(500) as bad:
        bench = Bench(endpoint(variant(good)))
        bench.invoke()
        bench.serving.endpoint = endpoint(variant(bad))
        bench.invoke()
    assert [bench.log.count(REGION, "wine", "AllTraffic", kind) for kind in ("ok", "failed")] == [1, 1]
