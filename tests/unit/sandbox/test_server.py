"""The server reads and writes HTTP/1.1 as clients of AWS and of registries speak it."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dockyard_sandbox.front import ConnectionCut
from dockyard_sandbox.routes import HttpRequest, HttpResponse
from dockyard_sandbox.server import Answer, Server


@contextmanager
def serve(answer: Answer) -> Iterator[http.client.HTTPConnection]:
    """A connection to a server that answers so."""
    server = Server(answer)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()
        server.stop()


def test_body_of_a_request_arrives_whole() -> None:
    with serve(lambda request: HttpResponse(body=request.body)) as connection:
        for size in (0, 1, 200_000):
            connection.request("POST", "/x?a=1", body=b"x" * size)
            assert connection.getresponse().read() == b"x" * size


def test_chunked_stream_of_a_registry_is_read_as_it_comes() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            headers={"X-Body": str(len(request.body))}, chunks=iter([request.stream.read(3), request.stream.read()])
        )

    with serve(answer) as connection:
        connection.request("PATCH", "/v2/a/blobs/uploads/1", body=iter([b"abcd", b"", b"ef"]), encode_chunked=True)
        response = connection.getresponse()
        assert (response.headers["X-Body"], response.read()) == ("0", b"abcdef")
        connection.request("GET", "/v2/")
        assert connection.getresponse().read() == b""


def test_body_that_nobody_read_is_not_the_next_request() -> None:
    with serve(lambda request: HttpResponse(body=request.path.encode())) as connection:
        connection.request("PUT", "/v2/unread", body=b"GET /other HTTP/1.1\r\n\r\n" * 1000)
        assert connection.getresponse().read() == b"/v2/unread"
        connection.request("GET", "/v2/next")
        assert connection.getresponse().read() == b"/v2/next"


def test_client_that_asks_whether_to_send_its_body_is_told_at_once() -> None:
    with serve(lambda request: HttpResponse(body=request.body)) as connection:
        connection.putrequest("PUT", "/x")
        connection.putheader("Content-Length", "4")
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        told = connection.sock.recv(1000)
        connection.send(b"body")
        assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.getresponse().read() == b"body"


def test_head_is_answered_with_headers_only() -> None:
    with serve(lambda _request: HttpResponse(headers={"Content-Length": "7"}, body=b"1234567")) as connection:
        connection.request("HEAD", "/")
        response = connection.getresponse()
        assert (response.headers["Content-Length"], response.read()) == ("7", b"")
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"1234567"


def test_answer_that_can_have_no_body_has_no_length() -> None:
    with serve(lambda request: HttpResponse(status=204 if request.method == "DELETE" else 200)) as connection:
        connection.request("DELETE", "/")
        response = connection.getresponse()
        assert (response.read(), "Content-Length" in response.headers) == (b"", False)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b""


def test_cut_connection_is_reset() -> None:
    def cut(_request: HttpRequest) -> HttpResponse:
        raise ConnectionCut("now")

    with serve(cut) as connection:
        connection.request("GET", "/")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()


def test_server_listens_on_loopback_only_and_stops_with_connections_open() -> None:
    server = Server(lambda _request: HttpResponse())
    server.start()
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    kept.request("GET", "/")
    assert kept.getresponse().read() == b""
    server.stop()
    assert kept.sock.recv(1) == b""
    kept.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("b.s3.localhost:1", 200), ("evil.example:1", 403), ("127.0.0.1.evil.example", 403)],
)
def test_server_answers_to_names_of_this_machine_only(host: str, status: int) -> None:
    with serve(lambda _request: HttpResponse()) as connection:
        connection.request("GET", "/", headers={"Host": host})
        assert connection.getresponse().status == status


def test_server_that_never_started_stops() -> None:
    server = Server(lambda _request: HttpResponse())
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
