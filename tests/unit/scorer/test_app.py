"""Tests of routes, limits, errors, log lines and metrics of the application, in this process."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dockyard_scorer.app import Parts, ScorerApp
from dockyard_scorer.errors import ScorerError
from dockyard_scorer.health import Health
from dockyard_scorer.identity import Identity
from dockyard_scorer.logs import EventLog
from dockyard_scorer.metrics import Metrics
from dockyard_scorer.predictions import PredictionPool
from dockyard_scorer.settings import Settings
from support.asgi import Answer, Call, call, call_async

CANARY = "canary-4711"


@dataclass
class EchoModel:
    """Answers how long the body is; obeys `wait` and `fail`."""

    wait: float = 0.0
    fail: Exception | None = None
    bodies: list[bytes] = field(default_factory=list)

    def answer(self, body: bytes, content_type: str) -> str:
        time.sleep(self.wait)
        if self.fail is not None:
            raise self.fail
        self.bodies.append(body)
        return json.dumps({"length": len(body), "type": content_type})

    def find_example(self) -> None:
        return None


@dataclass
class Bench:
    """An application with everything around it to look at."""

    app: ScorerApp
    parts: Parts
    model: EchoModel
    stderr: io.StringIO

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stderr.getvalue().splitlines()]

    def get(self, path: str) -> Answer:
        return call(self.app, Call(method="GET", path=path, headers={}))

    def post(self, *body: bytes, **headers: str) -> Answer:
        fields = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return call(self.app, Call(body=body, headers=fields))


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench() -> MakeBench:
    def make(model: EchoModel | None = None, *, is_ready: bool = True, **settings: float) -> Bench:
        chosen = replace(Settings(), threads=2, **settings)  # type: ignore[arg-type]  # int is float to a caller
        stderr = io.StringIO()
        health = Health()
        echo = model or EchoModel()
        if is_ready:
            health.open(echo)
        image = {"dockyard.model.name": "wine", "dockyard.model.version": "3"}
        parts = Parts(
            settings=chosen,
            health=health,
            identity=Identity(image=image, revision=7, mlflow="3.1.0"),
            log=EventLog(stderr),
            metrics=Metrics(),
            pool=PredictionPool(threads=chosen.threads, timeout=chosen.request_timeout_seconds),
        )
        parts.metrics.set_model_info(parts.identity.metric_labels())
        return Bench(app=ScorerApp(parts), parts=parts, model=echo, stderr=stderr)

    return make


def test_invocations_answers_what_the_model_says(make_bench: MakeBench) -> None:
    bench = make_bench()
    answer = bench.post(b"[[1", b", 2]]")
    assert (answer.status, answer.json) == (200, {"length": 8, "type": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    assert bench.model.bodies == [b"[[1, 2]]"]
    assert "connection" not in answer.headers


def test_health_answers_while_the_model_still_loads(make_bench: MakeBench) -> None:
    bench = make_bench(is_ready=False)
    assert (bench.get("/health").status, bench.get("/health").json) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/ready", "/ping"])
def test_readiness_tells_its_reason_from_load_to_proof_to_ready(make_bench: MakeBench, path: str) -> None:
    bench = make_bench(is_ready=False)
    assert (bench.get(path).status, bench.get(path).json["error_code"]) == (503, "model-loading")
    bench.parts.health.begin_proof()
    assert (bench.get(path).status, bench.get(path).json["error_code"]) == (503, "model-proving")
    bench.parts.health.open(bench.model)
    assert (bench.get(path).status, bench.get(path).json) == (200, {"status": "ready"})
    bench.parts.health.fail()
    assert (bench.get(path).status, bench.get(path).json["error_code"]) == (503, "model-failed")


def test_draining_is_not_ready_but_still_answers_and_asks_to_close(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.parts.health.begin_drain()
    assert (bench.get("/ready").status, bench.get("/ready").json["error_code"]) == (503, "draining")
    assert bench.get("/ping").status == 200
    answer = bench.post(b"[]")
    assert (answer.status, answer.headers["connection"]) == (200, "close")


def test_invocations_before_ready_is_503_and_says_when_to_come_back(make_bench: MakeBench) -> None:
    answer = make_bench(is_ready=False).post(b"[[1]]")
    assert (answer.status, answer.json["error_code"]) == (503, "not-ready")
    assert answer.headers["retry-after"] == "1"


def test_version_tells_versions_revision_and_labels(make_bench: MakeBench) -> None:
    version = make_bench().get("/version").json
    assert set(version) == {"scorer", "mlflow", "python", "revision", "image"}
    assert (version["mlflow"], version["revision"]) == ("3.1.0", 7)
    assert version["image"]["dockyard.model.name"] == "wine"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Call(method="GET", path="/invocations"), (405, "method-not-allowed", "POST")),
        (Call(method="POST", path="/ready"), (405, "method-not-allowed", "GET, HEAD")),
        (Call(method="GET", path=f"/{CANARY}"), (404, "not-found", None)),
        (Call(method="POST", path="/"), (404, "not-found", None)),
    ],
)
def test_wrong_paths_and_methods_are_refused(
    make_bench: MakeBench, request_: Call, expected: tuple[int, str, str | None]
) -> None:
    bench = make_bench()
    answer = call(bench.app, request_)
    assert (answer.status, answer.json["error_code"], answer.headers.get("allow")) == expected
    assert CANARY not in bench.stderr.getvalue() + answer.body.decode()


@pytest.mark.parametrize("headers", [{"content_length": "11"}, {}])
def test_body_above_the_limit_is_413_declared_or_streamed(make_bench: MakeBench, headers: dict[str, str]) -> None:
    bench = make_bench(max_body_bytes=10)
    answer = bench.post(b"123456", b"78901", **headers)
    assert (answer.status, answer.json["error_code"]) == (413, "body-too-large")
    assert answer.headers["connection"] == "close"
    assert bench.model.bodies == []


def test_body_of_exactly_the_limit_is_taken(make_bench: MakeBench) -> None:
    assert make_bench(max_body_bytes=10).post(b"12345", b"67890", content_length="10").status == 200


def test_prediction_that_takes_too_long_is_504_and_shows_in_readiness(make_bench: MakeBench) -> None:
    bench = make_bench(EchoModel(wait=0.4), request_timeout_seconds=0.05)

    async def overload() -> list[Answer]:
        return list(await asyncio.gather(*(call_async(bench.app, Call(body=[b"[]"])) for _ in range(3))))

    answers = asyncio.run(overload())
    assert [(answer.status, answer.json["error_code"]) for answer in answers] == [(504, "timeout")] * 3
    assert bench.get("/ready").json["error_code"] == "predictions-stuck"
    time.sleep(0.5)
    assert bench.get("/ready").status == 200


def test_body_that_does_not_arrive_is_408(make_bench: MakeBench) -> None:
    bench = make_bench(request_timeout_seconds=0.05)

    async def send_half() -> int:
        sent: list[MutableMapping[str, Any]] = []
        first = iter([{"type": "http.request", "body": b"[", "more_body": True}])

        async def receive() -> dict[str, Any]:
            message = next(first, None)
            if message is None:
                await asyncio.sleep(10)
            return message or {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/invocations", "headers": []}
        await bench.app(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(send_half()) == 408


def test_more_requests_than_allowed_are_503_overloaded(make_bench: MakeBench) -> None:
    bench = make_bench(EchoModel(wait=0.1), max_requests=2)

    async def send_three() -> list[int]:
        answers = await asyncio.gather(*(call_async(bench.app, Call(body=[b"[]"])) for _ in range(3)))
        return sorted(answer.status for answer in answers)

    assert asyncio.run(send_three()) == [200, 200, 503]
    assert bench.parts.health.in_flight == 0


def test_health_answers_while_every_prediction_thread_is_busy(make_bench: MakeBench) -> None:
    bench = make_bench(EchoModel(wait=0.3))

    async def ask() -> float:
        busy = [asyncio.create_task(call_async(bench.app, Call(body=[b"[]"]))) for _ in range(4)]
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        answer = await call_async(bench.app, Call(method="GET", path="/health"))
        elapsed = time.perf_counter() - began
        assert answer.status == 200
        await asyncio.gather(*busy)
        return elapsed

    assert asyncio.run(ask()) < 0.2


def test_fault_of_our_own_is_500_without_its_words(make_bench: MakeBench) -> None:
    bench = make_bench(EchoModel(fail=KeyError(CANARY)))
    answer = bench.post(CANARY.encode())
    assert (answer.status, answer.json["error_code"]) == (500, "internal-error")
    [event] = bench.events()
    assert (event["level"], event["code"]) == ("error", "internal-error")
    assert event["where"].startswith("KeyError at test_app.py:")
    assert CANARY not in bench.stderr.getvalue() + answer.body.decode()


def test_client_that_leaves_is_counted_and_harms_nobody(make_bench: MakeBench) -> None:
    bench = make_bench()
    answer = call(bench.app, Call(body=[b"[[1,"], leaves=True))
    assert answer.status == 499
    assert bench.parts.health.in_flight == 0
    assert bench.model.bodies == []


@pytest.mark.parametrize("wanted", ["abc-1.2:3_4/5+6=@", "x" * 128])
def test_request_id_is_honoured(make_bench: MakeBench, wanted: str) -> None:
    bench = make_bench()
    assert bench.post(b"[]", x_request_id=wanted).headers["x-request-id"] == wanted
    assert bench.events()[0]["request_id"] == wanted


@pytest.mark.parametrize("wanted", ["", "x" * 129, 'a"b', "a b", "a\tb"])
def test_unfit_request_id_is_replaced(make_bench: MakeBench, wanted: str) -> None:
    bench = make_bench()
    given = bench.post(b"[]", x_request_id=wanted).headers["x-request-id"]
    assert given != wanted
    assert len(given) == 32


def test_each_invocation_is_one_json_line_and_probes_are_none(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.get("/health")
    bench.get("/ready")
    bench.get("/metrics")
    bench.post(b"12345")
    [event] = bench.events()
    assert {key: event[key] for key in ("level", "event", "route", "status", "bytes_in")} == {
        "level": "info",
        "event": "request",
        "route": "/invocations",
        "status": 200,
        "bytes_in": 5,
    }
    assert event["bytes_out"] > 0
    assert event["duration_ms"] >= 0


def test_metrics_count_by_closed_sets_of_labels(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.post(b"[]")
    bench.model.fail = ScorerError("prediction-failed", "no")
    bench.post(b"[]")
    bench.get(f"/{CANARY}")
    answer = bench.get("/metrics")
    text = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/plain; version=")
    for line in (
        'dockyard_requests_total{route="/invocations",status="200"} 1.0',
        'dockyard_requests_total{route="/invocations",status="500"} 1.0',
        'dockyard_requests_total{route="other",status="404"} 1.0',
        'dockyard_prediction_errors_total{code="prediction-failed"} 1.0',
        'dockyard_model_info{digest="",id="",name="wine",revision="7",version="3"} 1.0',
        "dockyard_ready 1.0",
        "dockyard_requests_in_flight 0.0",
    ):
        assert line in text
    assert 'dockyard_request_seconds_bucket{le="0.005",route="/invocations"}' in text
    assert CANARY not in text


def test_other_protocols_than_http_are_let_be(make_bench: MakeBench) -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("nothing is to be received")

    async def send(message: MutableMapping[str, Any]) -> None:
        raise AssertionError(f"nothing is to be sent: {message}")

    asyncio.run(make_bench().app({"type": "lifespan"}, receive, send))
