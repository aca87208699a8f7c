"""The scorer's client: readiness within the time, answers, and errors without payloads."""

from __future__ import annotations

import socket
import threading

import pytest

from dockyard.adapters.scorer_client import HttpScorer, is_ready
from dockyard.domain.errors import UnavailableError, UnhealthyError
from dockyard.domain.image import Fingerprint
from dockyard.ports import Request
from dockyard_scorer.proof import Proof
from support.raw_server import Connection, Script, answer, echo, run_raw_server

REQUEST = Request(body=b'{"inputs": ["secret"]}', content_type="application/json")
FINGERPRINT = Fingerprint("fp1")


def no_proof(_: Fingerprint) -> Proof | None:
    return None


@pytest.fixture
def scorer() -> HttpScorer:
    return HttpScorer(no_proof)


def status(code: int, body: str = "") -> Script:
    def script(connection: Connection) -> None:
        connection.read_body()
        connection.send(f"HTTP/1.1 {code} Something\r\nContent-Length: {len(body)}\r\n\r\n{body}")

    return script


def test_ready_is_what_answers_200_at_ready(scorer: HttpScorer) -> None:
    with run_raw_server(status(200)) as server:
        assert scorer.wait_ready(server.address, 5)
    assert server.requests == ["GET /ready HTTP/1.1"]


def test_waiting_ends_as_soon_as_it_is_ready(scorer: HttpScorer) -> None:
    scripts = iter([status(503), status(503), status(200)])

    def script(connection: Connection) -> None:
        next(scripts)(connection)

    with run_raw_server(script) as server:
        assert scorer.wait_ready(server.address, 60)


@pytest.mark.parametrize("kind", ["refuses", "is silent", "says no", "speaks nonsense"])
def test_waiting_ends_in_time_whatever_is_there(scorer: HttpScorer, kind: str) -> None:
    over = threading.Event()

    def wait_silently(_: Connection) -> None:
        over.wait(10)

    scripts: dict[str, Script] = {
        "is silent": wait_silently,
        "says no": status(503),
        "speaks nonsense": lambda connection: connection.send("nonsense\r\n\r\n"),
    }
    with run_raw_server(scripts.get(kind, status(200))) as server, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}" if kind == "refuses" else server.address
        assert not scorer.wait_ready(address, 0.3)
        over.set()


def test_looks_once_even_without_time(scorer: HttpScorer) -> None:
    with run_raw_server(status(200)) as server:
        assert scorer.wait_ready(server.address, 0)
        assert is_ready(server.address, 1)


def test_answer_is_the_json_and_how_long_it_took(scorer: HttpScorer) -> None:
    with run_raw_server(answer('{"predictions": [1.5]}')) as server:
        found = scorer.invoke(server.address, REQUEST, 5)
    assert found.value == {"predictions": [1.5]}
    assert 0 < found.seconds < 5


def test_request_goes_to_invocations_as_it_is(scorer: HttpScorer) -> None:
    with run_raw_server(echo) as server:
        seen = scorer.invoke(server.address, Request(body=b"a,b\n1,2", content_type="text/csv"), 5).value
    assert isinstance(seen, dict)
    assert (seen["line"], seen["body"]) == ("POST /invocations HTTP/1.1", "a,b\n1,2")
    assert seen["headers"]["content-type"] == "text/csv"


def test_refusal_quotes_the_scorers_code_and_text(scorer: HttpScorer) -> None:
    body = '{"error_code": "prediction-failed", "message": "The model raised ValueError."}'
    with run_raw_server(status(500, body)) as server, pytest.raises(UnhealthyError) as refused:
        scorer.invoke(server.address, REQUEST, 5)
    assert refused.value.code == "smoke-test-failed"
    assert "answered 500 (prediction-failed: The model raised ValueError.)" in refused.value.message


@pytest.mark.parametrize("body", ["secret", '["secret"]', '{"detail": "secret"}'])
def test_what_others_answer_is_not_quoted(scorer: HttpScorer, body: str) -> None:
    for code in (400, 200):
        with (
            run_raw_server(status(code, body if code == 400 else "secret{")) as server,
            pytest.raises(UnhealthyError) as refused,
        ):
            scorer.invoke(server.address, REQUEST, 5)
        assert "secret" not in refused.value.message


@pytest.mark.parametrize("reply", ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "nonsense\r\n\r\n"])
def test_broken_answers_are_unreachable(scorer: HttpScorer, reply: str) -> None:
    with run_raw_server(lambda connection: connection.send(reply)) as server, pytest.raises(UnavailableError) as broken:
        scorer.invoke(server.address, REQUEST, 5)
    assert broken.value.code == "scorer-unreachable"


def test_difference_is_a_path_and_follows_the_proof() -> None:
    proof = Proof(content_type="application/json", body="{}", answer={"predictions": [1.0, 2.0]})
    scorer = HttpScorer({FINGERPRINT: proof}.get)
    assert scorer.find_difference(FINGERPRINT, {"predictions": [1.0, 2.0]}) is None
    assert scorer.find_difference(FINGERPRINT, {"predictions": [1.0, 3.0]}) == "predictions[1]"
    assert scorer.find_difference(Fingerprint("other"), "anything") is None
