"""The forwarder: what it passes on, what it keeps to itself, and what it says when the revision fails."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.forwarder_thread import RunningForwarder, run_forwarder
from support.patience import wait_for
from support.raw_server import Connection, answer, echo, run_raw_server


@pytest.fixture
def forwarder(tmp_path: Path) -> Iterator[RunningForwarder]:
    with run_forwarder(tmp_path) as running:
        yield running


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while part := connection.recv(65536):
        data += part
    return data


def read_head(connection: socket.socket) -> str:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += connection.recv(1)
    return data.decode()


def test_method_target_headers_and_body_arrive_as_they_were_sent(forwarder: RunningForwarder) -> None:
    with run_raw_server(echo) as revision:
        forwarder.lead_to(revision.address)
        connection = forwarder.connect()
        connection.request("POST", "/inv%20ocations?a=1&b=%2F", body=b"\x00\xff", headers={"X-Request-Id": "7", "Host": "wine"})
        seen = json.loads(connection.getresponse().read())
        connection.close()
    assert seen["line"] == "POST /inv%20ocations?a=1&b=%2F HTTP/1.1"
    assert seen["body"] == "\x00\xff"
    assert (seen["headers"]["host"], seen["headers"]["x-request-id"]) == ("wine", "7")
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.1"


def test_headers_between_neighbours_are_not_passed_on(forwarder: RunningForwarder) -> None:
    def script(connection: Connection) -> None:
        headers = json.dumps(connection.headers)
        connection.send(
            "HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nX-Theirs: 2\r\n"
            f"Content-Length: {len(headers)}\r\n\r\n{headers}"
        )

    with run_raw_server(script) as revision:
        forwarder.lead_to(revision.address)
        connection = forwarder.connect()
        connection.request(
            "GET", "/", headers={"Connection": "keep-alive, X-Hop", "X-Hop": "1", "TE": "trailers", "X-End": "2"}
        )
        response = connection.getresponse()
        seen = json.loads(response.read())
        connection.close()
    assert not {"x-hop", "te", "keep-alive"} & set(seen)
    assert seen["x-end"] == "2"
    assert seen["connection"] == "close"
    assert (response.headers["X-Mine"], response.headers["Keep-Alive"], response.headers["X-Theirs"]) == (None, None, "2")


def test_chunked_request_is_streamed_not_collected(forwarder: RunningForwarder) -> None:
    first_part_is_there = threading.Event()

    def script(connection: Connection) -> None:
        assert connection.headers["transfer-encoding"] == "chunked"
        while b"first" not in connection.rest:
            connection.rest += connection.socket.recv(65536)
        first_part_is_there.set()
        echo(connection)

    with run_raw_server(script) as revision, forwarder.open_socket() as client:
        forwarder.lead_to(revision.address)
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nfirst\r\n")
        assert first_part_is_there.wait(10)
        client.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        assert json.loads(read_all(client).partition(b"\r\n\r\n")[2])["body"] == "firstsecond"


def test_large_bodies_arrive_whole_in_both_directions(forwarder: RunningForwarder) -> None:
    size = 30_000_000

    def script(connection: Connection) -> None:
        body = connection.read_body()
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n")
        connection.send(body)

    with run_raw_server(script) as revision:
        forwarder.lead_to(revision.address)
        connection = forwarder.connect()
        connection.request("POST", "/", body=b"x" * size)
        assert connection.getresponse().read() == b"x" * size
        connection.close()


def test_answer_is_streamed_not_collected(forwarder: RunningForwarder) -> None:
    client_has_first_part = threading.Event()

    def script(connection: Connection) -> None:
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert client_has_first_part.wait(10)
        connection.send("6\r\nsecond\r\n0\r\n\r\n")

    with run_raw_server(script) as revision:
        forwarder.lead_to(revision.address)
        connection = forwarder.connect()
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.read(5) == b"first"
        client_has_first_part.set()
        assert response.read() == b"second"
        connection.close()


def test_answer_that_ends_with_the_connection_arrives_whole(forwarder: RunningForwarder) -> None:
    with run_raw_server(lambda connection: connection.send("HTTP/1.0 200 OK\r\n\r\nold style")) as revision:
        forwarder.lead_to(revision.address)
        assert forwarder.get() == (200, b"old style")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_body_leave_the_connection_usable(forwarder: RunningForwarder, status: str) -> None:
    with run_raw_server(lambda connection: connection.send(f"HTTP/1.1 {status}\r\n\r\n")) as revision:
        forwarder.lead_to(revision.address)
        connection = forwarder.connect()
        for _ in range(2):
            connection.request("GET", "/")
            response = connection.getresponse()
            assert (str(response.status), response.read()) == (status[:3], b"")
        connection.close()


def test_head_tells_the_length_and_sends_nothing(forwarder: RunningForwarder) -> None:
    with run_raw_server(lambda connection: connection.send("HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n")) as revision:
        forwarder.lead_to(revision.address)
        connection = forwarder.connect()
        for _ in range(2):
            connection.request("HEAD", "/")
            response = connection.getresponse()
            assert (response.headers["Content-Length"], response.read()) == ("42", b"")
        connection.close()


def test_old_clients_are_served(forwarder: RunningForwarder) -> None:
    def script(connection: Connection) -> None:
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n")

    with run_raw_server(script) as revision, forwarder.open_socket() as client:
        forwarder.lead_to(revision.address)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert body == b"yes"


def test_pipelined_requests_are_answered_in_order(forwarder: RunningForwarder) -> None:
    with run_raw_server(echo) as revision, forwarder.open_socket() as client:
        forwarder.lead_to(revision.address)
        client.sendall(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = read_all(client)
    assert 0 < answers.index(b"GET /1") < answers.index(b"GET /2")


def test_client_that_waits_for_100_gets_it_when_the_revision_wants_the_body(forwarder: RunningForwarder) -> None:
    def script(connection: Connection) -> None:
        assert connection.headers["expect"] == "100-continue"
        connection.send("HTTP/1.1 100 Continue\r\n\r\n")
        echo(connection)

    with run_raw_server(script) as revision, forwarder.open_socket() as client:
        forwarder.lead_to(revision.address)
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert "100 Continue" in read_head(client)
        client.sendall(b"body")
        assert json.loads(read_all(client).partition(b"\r\n\r\n")[2])["body"] == "body"


def test_client_that_waits_for_100_gets_it_from_us_when_the_revision_never_sends_one(forwarder: RunningForwarder) -> None:
    with run_raw_server(echo) as revision, forwarder.open_socket() as client:
        forwarder.lead_to(revision.address)
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert "100 Continue" in read_head(client)
        client.sendall(b"body")
        assert json.loads(read_all(client).partition(b"\r\n\r\n")[2])["body"] == "body"


REFUSAL = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"


def test_client_that_waits_for_100_is_refused_without_sending_its_body(forwarder: RunningForwarder) -> None:
    with run_raw_server(lambda connection: connection.send(REFUSAL)) as revision, forwarder.open_socket() as client:
        forwarder.lead_to(revision.address)
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        assert "413" in read_head(client)


def test_refusal_reaches_a_client_that_is_still_sending(forwarder: RunningForwarder) -> None:
    """The revision answers and closes with the body unread, which resets its connection; the answer must survive that."""
    with run_raw_server(lambda connection: connection.send(REFUSAL)) as revision:
        forwarder.lead_to(revision.address)
        for _ in range(20):
            connection = forwarder.connect()
            connection.request("POST", "/", body=b"x" * 5_000_000)
            response = connection.getresponse()
            assert (response.status, response.read()) == (413, b"big")
            connection.request("POST", "/", body=b"x")
            assert connection.getresponse().status == 413
            connection.close()


def test_connection_is_kept_over_a_switch(forwarder: RunningForwarder) -> None:
    with run_raw_server(answer("one")) as first, run_raw_server(answer("two")) as second:
        forwarder.lead_to(first.address, revision=1)
        connection = forwarder.connect()
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"one"
        used = connection.sock
        forwarder.lead_to(second.address, revision=2)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"two"
        assert connection.sock is used
        connection.close()


def test_request_under_way_finishes_where_it_is_and_counts_until_then(forwarder: RunningForwarder) -> None:
    arrived, may_answer = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        arrived.set()
        assert may_answer.wait(10)
        answer("old")(connection)

    with run_raw_server(slow) as old, run_raw_server(answer("new")) as new:
        forwarder.lead_to(old.address, revision=1)
        connection = forwarder.connect()
        connection.request("GET", "/")
        assert arrived.wait(10)
        forwarder.lead_to(new.address, revision=2)
        assert forwarder.get() == (200, b"new")
        wait_for(lambda: forwarder.app.describe() == {"revision": 2, "under_way": {"1": 1}})
        may_answer.set()
        assert connection.getresponse().read() == b"old"
        connection.close()
        wait_for(lambda: forwarder.app.describe()["under_way"] == {})


def test_refused_connection_is_tried_again_by_the_newest_route(tmp_path: Path) -> None:
    with (
        run_forwarder(tmp_path, patience_seconds=10) as forwarder,
        run_raw_server(answer("up")) as revision,
        socket.socket() as nobody,
    ):
        nobody.bind(("127.0.0.1", 0))
        forwarder.lead_to(f"127.0.0.1:{nobody.getsockname()[1]}", revision=1)
        timer = threading.Timer(0.3, forwarder.lead_to, (revision.address,), {"revision": 2})
        timer.start()
        assert forwarder.get() == (200, b"up")
        timer.join()
    assert revision.requests == ["GET / HTTP/1.1"]


def assert_not_serving(forwarder: RunningForwarder) -> None:
    connection = forwarder.connect()
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.read())["error_code"] == "not-serving"
    connection.close()


def test_nobody_there_is_503_with_a_code_and_when_to_try_again(forwarder: RunningForwarder) -> None:
    assert_not_serving(forwarder)


def test_damaged_route_is_503_and_the_next_good_one_counts(forwarder: RunningForwarder) -> None:
    forwarder.route.write_text("{")
    assert forwarder.get()[0] == 503
    with run_raw_server(answer("good")) as revision:
        forwarder.lead_to(revision.address)
        assert forwarder.get() == (200, b"good")


@pytest.mark.parametrize("reply", ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-"])
def test_revision_that_breaks_off_before_its_answer_is_told_like_one_that_is_not_there(
    forwarder: RunningForwarder, reply: str
) -> None:
    """A scorer that ends while it is asked, and an engine that accepts connections for a container that restarts."""
    with run_raw_server(lambda connection: connection.send(reply)) as revision:
        forwarder.lead_to(revision.address)
        assert_not_serving(forwarder)
    assert len(revision.requests) == 1, "a request that may have been acted on is never sent twice"


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_answer_that_breaks_off_looks_broken_to_the_client(forwarder: RunningForwarder, framing: str) -> None:
    with run_raw_server(lambda connection: connection.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n3\r\nabc\r\n")) as revision:
        forwarder.lead_to(revision.address)
        with forwarder.open_socket() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            received = read_all(client)
    assert received.startswith(b"HTTP/1.1 200")
    assert not received.endswith(b"0\r\n\r\n")


def test_client_that_goes_away_frees_the_revision(forwarder: RunningForwarder) -> None:
    arrived, freed = threading.Event(), threading.Event()

    def script(connection: Connection) -> None:
        arrived.set()
        connection.wait_for_end()
        freed.set()

    with run_raw_server(script) as revision:
        forwarder.lead_to(revision.address)
        with forwarder.open_socket() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert arrived.wait(10)
        assert freed.wait(10)


def test_nonsense_is_refused_without_touching_the_revision(forwarder: RunningForwarder) -> None:
    with run_raw_server(echo) as revision:
        forwarder.lead_to(revision.address)
        with forwarder.open_socket() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
            assert read_all(client).startswith(b"HTTP/1.1 400")
    assert revision.requests == []
