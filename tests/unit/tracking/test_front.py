"""The front answers probes without the database, holds requests back until it is ready, and keeps artifacts on its own way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from botocore.exceptions import EndpointConnectionError

from dockyard_tracking.front import Application, Front
from dockyard_tracking.settings import ArtifactAccess, Database, Settings
from dockyard_tracking.watch import READY, STARTING, Condition
from support.asgi import Answer, Call, Message, call

SETTINGS = Settings(database=Database(dialect="sqlite"))
BEHIND = Condition(code="schema-behind", message="Schema tracking is at 1, mlflow@db needs 2.")


@dataclass
class FakeWatch:
    condition: Condition = STARTING
    told: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.told.append("start")

    def stop(self) -> None:
        self.told.append("stop")


@dataclass
class FakeMlflow:
    """Answers with the path; or with `status` and `said`, in two parts."""

    status: int = 200
    said: Mapping[str, object] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Message, _receive: object, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        self.paths.append(scope["path"])
        body = json.dumps(self.said).encode()
        headers = [(b"content-type", b"application/json"), (b"Content-Length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": body[3:], "more_body": False})


def ask(
    path: str,
    *,
    condition: Condition = READY,
    application: Application | None = None,
    access: ArtifactAccess = "proxied",
    prefix: str = "",
) -> Answer:
    settings = replace(SETTINGS, artifact_access=access, static_prefix=prefix)
    return call(Front(settings, FakeWatch(condition), lambda: application), Call(method="GET", path=path))


@pytest.mark.parametrize("condition", [STARTING, BEHIND, READY])
def test_health_is_well_whatever_the_database_does(condition: Condition) -> None:
    assert ask("/health", condition=condition).status == 200


@pytest.mark.parametrize(("condition", "status"), [(STARTING, 503), (BEHIND, 503), (READY, 200)])
def test_ready_says_what_the_watch_has_seen_and_no_names(condition: Condition, status: int) -> None:
    answer = ask("/ready", condition=condition)
    assert (answer.status, answer.json) == (status, {"status": condition.code})


@pytest.mark.parametrize("path", ["/health", "/ready", "/mlflow/health", "/mlflow/ready"])
def test_probes_are_answered_with_and_without_the_static_prefix(path: str) -> None:
    assert ask(path, prefix="/mlflow").status == 200


def test_request_before_mlflow_is_there_is_sent_back_to_ask_again() -> None:
    answer = ask("/api/2.0/mlflow/runs/search", condition=BEHIND)
    assert (answer.status, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert answer.json["message"] == "Not ready: schema-behind."


def test_request_reaches_mlflow_even_while_the_database_is_away() -> None:
    mlflow = FakeMlflow(said={"runs": []})
    assert ask("/api/2.0/mlflow/runs/search", condition=BEHIND, application=mlflow).json == {"runs": []}
    assert mlflow.paths == ["/api/2.0/mlflow/runs/search"]


@pytest.mark.parametrize("prefix", ["", "/mlflow"])
def test_clients_are_told_that_artifacts_come_through_the_server(prefix: str) -> None:
    said = {"store_type": "SqlStore", "multipart_uploads_enabled": True, "multipart_downloads_enabled": True}
    answer = ask(f"{prefix}/api/3.0/mlflow/server-info", application=FakeMlflow(said=said), prefix=prefix)
    assert answer.json == {"store_type": "SqlStore", "multipart_uploads_enabled": False, "multipart_downloads_enabled": False}
    assert answer.headers["content-length"] == str(len(answer.body))


def test_failed_server_info_is_passed_on_as_it_is() -> None:
    answer = ask("/api/3.0/mlflow/server-info", application=FakeMlflow(status=500, said={"error_code": "X"}))
    assert (answer.status, answer.json) == (500, {"error_code": "X"})


@pytest.mark.parametrize("path", ["presigned/1/a/model.pkl", "mpu/create/1/a"])
def test_direct_ways_to_the_store_are_closed(path: str) -> None:
    mlflow = FakeMlflow()
    assert ask(f"/api/2.0/mlflow-artifacts/{path}", application=mlflow).status == 501
    assert mlflow.paths == []


def test_direct_ways_stay_open_where_clients_reach_the_store() -> None:
    said = {"multipart_downloads_enabled": True}
    info = ask("/api/3.0/mlflow/server-info", application=FakeMlflow(said=said), access="presigned")
    assert info.json == said
    assert ask("/api/2.0/mlflow-artifacts/presigned/1/a", application=FakeMlflow(), access="presigned").status == 200


def test_watch_begins_and_ends_with_the_server() -> None:
    watch, sent = FakeWatch(), []
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        await asyncio.sleep(0)
        return dict(next(messages))

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message["type"])

    asyncio.run(Front(SETTINGS, watch, lambda: None)({"type": "lifespan"}, receive, send))
    assert watch.told == ["start", "stop"]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_websocket_before_mlflow_is_there_is_closed_to_try_again() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    async def receive() -> Message:
        await asyncio.sleep(0)
        return {"type": "websocket.connect"}

    asyncio.run(Front(SETTINGS, FakeWatch(), lambda: None)({"type": "websocket", "path": "/"}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1013}]


@dataclass
class FailingMlflow:
    """Ends with an exception, after an answer of 500 as Starlette gives it; or amid an answer that has begun."""

    error: Exception
    status: int = 500

    async def __call__(self, _scope: Message, _receive: object, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"Internal Server Error", "more_body": False})
        raise self.error


ARTIFACT = "/api/2.0/mlflow-artifacts/artifacts/1/abc/artifacts/model.pkl"
AWAY = EndpointConnectionError(endpoint_url="http://s3:7070/models")


def test_artifact_store_that_is_away_is_named_and_asked_again() -> None:
    answer = ask(ARTIFACT, application=FailingMlflow(AWAY))
    assert (answer.status, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "http://s3:7070/models" in answer.json["message"]


@pytest.mark.parametrize(("error", "status", "path"), [(ValueError(), 500, ARTIFACT), (AWAY, 200, ARTIFACT), (AWAY, 500, "/x")])
def test_any_other_failure_stays_what_it_is(error: Exception, status: int, path: str) -> None:
    with pytest.raises(type(error)):
        ask(path, application=FailingMlflow(error, status))


def test_answer_of_500_without_an_exception_is_passed_on() -> None:
    answer = ask(ARTIFACT, application=FakeMlflow(500, {"error_code": "INTERNAL_ERROR"}))
    assert (answer.status, answer.json) == (500, {"error_code": "INTERNAL_ERROR"})
