"""The service behind a real port, in a thread of this process: limits, drain, and nothing lost under load."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard_scorer.settings import Settings
from support import models
from support.load import REQUEST, Load, read_response
from support.scorers import Reply, ScorerThread, ask

pytestmark = pytest.mark.process

SaveModel = Callable[[Path], Path]
SETTINGS = Settings(host="127.0.0.1", port=0, grace_seconds=10, quiet_seconds=0.3, threads=4)


def _sleep(port: int, seconds: float) -> Reply:
    body = b'{"dataframe_records": [{"command": "sleep", "value": %f}]}' % seconds
    return ask(port, "POST", "/invocations", body)


@pytest.fixture
def commanded(saved: Callable[[SaveModel], Path], tmp_path: Path) -> Settings:
    return replace(SETTINGS, model=saved(models.save_commanded_model), proof=tmp_path / "proof.json")


class Asking(threading.Thread):
    """One request in the background."""

    def __init__(self, port: int, seconds: float) -> None:
        super().__init__()
        self._port, self._seconds = port, seconds
        self.outcome: Reply | OSError | None = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = _sleep(self._port, self._seconds)
        except OSError as error:
            self.outcome = error

    @property
    def reply(self) -> Reply:
        self.join()
        assert isinstance(self.outcome, Reply), self.outcome
        return self.outcome


@pytest.mark.parametrize("keep", [True, False])
def test_no_request_is_lost_when_it_drains_under_load_that_never_stops(commanded: Settings, *, keep: bool) -> None:
    with ScorerThread(replace(commanded, grace_seconds=4)) as scorer:
        scorer.wait_until_ready()
        with Load(scorer.port, clients=6, keep=keep) as load:
            load.wait_for_answers(3)
            scorer.service.begin_drain()
            assert scorer.wait() == 0
    assert load.lost == []
    assert all(tally.refused == 1 and tally.asked_to_close >= 1 for tally in load.tallies)


def test_request_on_a_kept_connection_is_answered_while_draining_and_told_to_close(commanded: Settings) -> None:
    with ScorerThread(commanded) as scorer:
        scorer.wait_until_ready()
        with socket.create_connection(("127.0.0.1", scorer.port), timeout=10) as connection:
            connection.sendall(REQUEST)
            assert b"connection: close" not in read_response(connection)
            scorer.service.begin_drain()
            time.sleep(0.15)
            connection.sendall(REQUEST)
            assert b"connection: close" in read_response(connection)
            assert connection.recv(1) == b""
        assert scorer.wait() == 0


def test_request_under_way_is_finished_after_the_port_is_closed(commanded: Settings) -> None:
    with ScorerThread(commanded) as scorer:
        scorer.wait_until_ready()
        asking = Asking(scorer.port, 2.5)
        time.sleep(0.1)
        scorer.service.begin_drain()
        time.sleep(2.0)
        with pytest.raises(ConnectionRefusedError):
            ask(scorer.port, "GET", "/health")
        assert asking.reply.status == 200
        assert asking.reply.headers["connection"] == "close"
        assert scorer.wait() == 0


def test_request_that_outlasts_the_grace_is_cut_off_and_the_exit_code_says_so(commanded: Settings) -> None:
    with ScorerThread(replace(commanded, grace_seconds=2)) as scorer:
        scorer.wait_until_ready()
        asking = Asking(scorer.port, 4)
        time.sleep(0.1)
        scorer.service.begin_drain()
        assert scorer.wait() == 1
        asking.join()
        assert not isinstance(asking.outcome, Reply) or asking.outcome.status == 500
        assert scorer.events()[-1]["event"] == "drain-incomplete"


def test_draining_tells_ready_503_and_ping_200(commanded: Settings) -> None:
    with ScorerThread(replace(commanded, quiet_seconds=1)) as scorer:
        scorer.wait_until_ready()
        scorer.service.begin_drain()
        time.sleep(0.1)
        ready = ask(scorer.port, "GET", "/ready")
        assert (ready.status, ready.json["error_code"]) == (503, "draining")
        assert ask(scorer.port, "GET", "/ping").status == 200
        assert ask(scorer.port, "GET", "/health").status == 200


def test_idle_service_does_not_wait_for_the_end_of_its_grace(commanded: Settings) -> None:
    with ScorerThread(replace(commanded, grace_seconds=60)) as scorer:
        scorer.wait_until_ready()
        began = time.monotonic()
        scorer.service.begin_drain()
        assert scorer.wait() == 0
        assert time.monotonic() - began < 60


def test_probes_do_not_hold_up_the_drain(commanded: Settings) -> None:
    with ScorerThread(replace(commanded, grace_seconds=60)) as scorer:
        scorer.wait_until_ready()
        probe = b"GET /ready HTTP/1.1\r\nhost: test\r\n\r\n"
        with Load(scorer.port, clients=1, request=probe):
            time.sleep(0.2)
            began = time.monotonic()
            scorer.service.begin_drain()
            assert scorer.wait() == 0
            assert time.monotonic() - began < 60


def test_health_and_metrics_answer_while_predictions_take_long(commanded: Settings) -> None:
    with ScorerThread(commanded) as scorer:
        scorer.wait_until_ready()
        asked = [Asking(scorer.port, 1.0) for _ in range(6)]
        time.sleep(0.2)
        assert ask(scorer.port, "GET", "/health").status == 200
        assert b"dockyard_requests_in_flight 6.0" in ask(scorer.port, "GET", "/metrics").body
        assert [one.reply.status for one in asked] == [200] * 6


def test_client_that_streams_too_much_still_reads_its_413(commanded: Settings) -> None:
    with ScorerThread(replace(commanded, max_body_bytes=1000)) as scorer:
        scorer.wait_until_ready()
        with socket.create_connection(("127.0.0.1", scorer.port), timeout=10) as connection:
            head = b"POST /invocations HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n"
            connection.sendall(head)
            for _ in range(64):
                connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            connection.sendall(b"0\r\n\r\n")
            answer = read_response(connection)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"connection: close" in answer


def test_client_that_declares_too_much_and_sends_it_all_reads_its_413(commanded: Settings) -> None:
    with ScorerThread(replace(commanded, max_body_bytes=1000)) as scorer:
        scorer.wait_until_ready()
        reply = ask(scorer.port, "POST", "/invocations", b"x" * 4_000_000)
        assert (reply.status, reply.json["error_code"]) == (413, "body-too-large")


def test_pipelined_requests_are_answered_in_order(commanded: Settings) -> None:
    with ScorerThread(commanded) as scorer:
        scorer.wait_until_ready()
        with socket.create_connection(("127.0.0.1", scorer.port), timeout=10) as connection:
            connection.sendall(REQUEST * 3)
            received = b""
            while received.count(b'"doubled"') + received.count(b'"predictions"') < 6:
                received += connection.recv(65536)
        assert received.count(b"HTTP/1.1 200 OK") == 3


def test_broken_http_is_400_without_an_echo(commanded: Settings) -> None:
    with ScorerThread(commanded) as scorer:
        scorer.wait_until_ready()
        with socket.create_connection(("127.0.0.1", scorer.port), timeout=10) as connection:
            connection.sendall(b"CANARY / CANARY\r\n\r\n")
            received = connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b"CANARY" not in received
    assert "CANARY" not in scorer.stderr.getvalue()


def save_nothing(path: Path) -> Path:
    """A folder without a model in it."""
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("save_model", "event", "exit_code"),
    [(models.save_raising_model, "proof-failed", 3), (save_nothing, "model-load-failed", 1)],
)
def test_model_that_does_not_work_ends_the_service_and_the_exit_code_tells_how(
    saved: Callable[[SaveModel], Path], tmp_path: Path, save_model: SaveModel, event: str, exit_code: int
) -> None:
    with ScorerThread(replace(SETTINGS, model=saved(save_model), proof=tmp_path / "proof.json")) as scorer:
        assert scorer.wait() == exit_code
    [error] = [one for one in scorer.events() if one["level"] == "error"]
    assert error["event"] == event
